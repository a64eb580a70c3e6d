"""The compiled globs against a matcher that tries everything."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.iam.variables import read
from policies.iam.wildcards import Glob, Style, Wild, expression


def compiled(pattern: str, style: Style) -> re.Pattern[str]:
    tokens = read(pattern, "", variables=False, wildcards=True)
    return re.compile(
        expression(tuple(token for token in tokens if isinstance(token, str | Wild)), style), re.DOTALL
    )


def naive(pattern: str, value: str, style: Style, colons: int = 0) -> bool:
    """Say what `pattern` means, by recursion over everything a star could take."""
    if not pattern:
        return not value
    confined = style is not Style.TEXT and colons < 5
    head, rest = pattern[0], pattern[1:]
    if head == "*":
        if style is Style.RESOURCE and (not rest.lstrip("*") or rest.lstrip("*").startswith(":")):
            confined = False
        reachable = len(value)
        if confined:
            reachable = value.index(":") if ":" in value else len(value)
        return any(naive(rest, value[taken:], style, colons) for taken in range(reachable + 1))
    if not value:
        return False
    fits = (value[0] != ":" or not confined) if head == "?" else head == value[0]
    return fits and naive(rest, value[1:], style, colons + (head == ":"))


@pytest.mark.parametrize("style", list(Style))
@given(data=st.data())
@settings(max_examples=300, deadline=None, database=None)
def test_a_compiled_glob_means_what_it_says(style: Style, data: st.DataObject) -> None:
    # A star in a row of stars takes nothing that the last of them could not, so rows are left out here.
    pattern = re.sub(r"\*+", "*", data.draw(st.text("ab:*?", max_size=9)))
    value = data.draw(st.text("ab:\n", max_size=9))
    if style is Style.ARN and pattern == "*":
        assert (compiled(pattern, style).match(value) is not None) == (value.count(":") >= 5)
        return
    assert (compiled(pattern, style).match(value) is not None) == naive(pattern, value, style), (
        pattern,
        value,
    )


@pytest.mark.parametrize("style", list(Style))
@given(data=st.data())
@settings(max_examples=100, deadline=None, database=None)
def test_a_glob_matches_what_was_made_from_it(style: Style, data: st.DataObject) -> None:
    pattern = re.sub(r"\*+", "*", data.draw(st.text("ab:*?", min_size=1, max_size=12)))
    if style is Style.ARN and pattern == "*":
        return
    value = "".join(
        {"*": data.draw(st.text("ab", max_size=3)), "?": data.draw(st.sampled_from("ab"))}.get(letter, letter)
        for letter in pattern
    )
    assert compiled(pattern, style).match(value) is not None, (pattern, value)


@pytest.mark.parametrize(
    ("pattern", "value", "expected"),
    [
        ("arn:aws:s3:::*", "arn:aws:s3:::bucket/a:b", True),
        ("arn:aws:ec2:*", "arn:aws:ec2:eu-west-1:123456789012:vpc/vpc-1", True),
        ("arn:aws:ec2:us-*-1:123456789012:vpc/*", "arn:aws:ec2:us-east-1:123456789012:vpc/vpc-1", True),
        ("arn:aws:ec2:us-*-1:123456789012:vpc/*", "arn:aws:ec2:us-east-2:x-1:123456789012:vpc/vpc-1", False),
        ("arn:aws:ec2:*:123456789012:vpc/*", "arn:aws:ec2:eu-west-1:123456789012:vpc/vpc-1", True),
        # A star that ends its segment reaches beyond the colon.
        ("arn:aws:ec2:*:vpc/*", "arn:aws:ec2:eu-west-1:123456789012:vpc/vpc-1", True),
        ("arn:aws:ec2:eu-west-?:123456789012:vpc/*", "arn:aws:ec2:eu-west-1:123456789012:vpc/vpc-1", True),
        ("arn:aws:ec2:eu-west-1?123456789012:vpc/*", "arn:aws:ec2:eu-west-1:123456789012:vpc/vpc-1", False),
        # The first star has to pass over a fit, because the second may not leave its segment.
        ("arn:aws:s3:*:a*b:c", "arn:aws:s3:x:ay:azb:c", True),
        ("arn:aws:s3:::Bucket", "arn:aws:s3:::bucket", False),
        ("arn:aws:s3:::b.cket", "arn:aws:s3:::bucket", False),
        ("arn:aws:s3:::bucket", "arn:aws:s3:::bucket\n", False),
    ],
)
def test_resources_match_by_segment(pattern: str, value: str, expected: bool) -> None:
    assert (compiled(pattern, Style.RESOURCE).match(value) is not None) == expected


@pytest.mark.parametrize(
    ("style", "pattern", "value"),
    [
        (Style.TEXT, "*a" * 40, "a" * 20_000 + "b"),
        (Style.ARN, "arn:aws:s3:::" + "*a" * 40, "arn:aws:s3:::" + "a" * 20_000 + "b"),
        (Style.RESOURCE, "arn:aws:s3:" + "*a" * 20 + "::b", "arn:aws:s3:" + "a" * 5_000 + "b::b"),
        (
            Style.RESOURCE,
            "arn:*:s3:*:*a*a*a:" + "*a" * 20,
            "arn:aws:s3:r:" + "a" * 300 + "b:" + "a" * 300 + "b",
        ),
    ],
)
def test_no_pattern_takes_long(style: Style, pattern: str, value: str) -> None:
    # An engine that backtracks without bound would need years for the first of these.
    start = time.perf_counter()
    assert compiled(pattern, style).match(value) is None
    assert time.perf_counter() - start < 1


def test_rows_of_stars_are_one_star() -> None:
    row: Glob = (Wild.ANY, Wild.ANY, "a", Wild.ANY, Wild.ANY, Wild.ANY)
    assert expression(row, Style.TEXT) == expression((Wild.ANY, "a", Wild.ANY), Style.TEXT)
