"""Policy variables: where they count, what they bring in, and what a missing one means."""

from typing import Any

import pytest

from policies.iam import Request, decide
from policies.iam.variables import Context
from tests.unit.policies.iam.documents import policy, statement, under

HOME = "arn:aws:s3:::b/home/${aws:username}/*"
DAVID = {"aws:username": ("David",)}


def reads(resource: str, key: str, context: Context, version: str = "2012-10-17", **more: Any) -> bool:
    given = policy(statement(Resource=resource, **more), version=version)
    return decide(Request("s3:GetObject", f"arn:aws:s3:::{key}", context), identity=[given]).allowed


def test_a_variable_stands_for_the_callers_value() -> None:
    assert reads(HOME, "b/home/David/x", DAVID)
    assert not reads(HOME, "b/home/Eve/x", DAVID)
    assert not reads(HOME, "b/home/${aws:username}/x", DAVID)


def test_a_missing_variable_matches_nothing() -> None:
    missing: tuple[Context, ...] = (
        {},
        {"aws:username": ()},
        {"aws:username": ("",)},
        {"aws:username": ("David", "Eve")},
    )
    for context in missing:
        assert not reads(HOME, "b/home/David/x", context)
        assert not reads(HOME, "b/home//x", context)


def test_a_default_takes_the_place_of_a_missing_value() -> None:
    resource = "arn:aws:s3:::b/${aws:PrincipalTag/team, 'company-wide'}/*"
    assert reads(resource, "b/company-wide/x", {})
    assert not reads(resource, "b/company-wide/x", {"aws:principaltag/team": ("yellow",)})
    assert reads(resource, "b/yellow/x", {"aws:PrincipalTag/Team": ("yellow",)})
    assert reads("arn:aws:s3:::b/${aws:x, ''}y", "b/y", {})


def test_what_a_variable_brings_in_is_no_wildcard() -> None:
    assert not reads(HOME, "b/home/David/x", {"aws:username": ("*",)})
    assert reads(HOME, "b/home/*/x", {"aws:username": ("*",)})
    assert not under({"StringLike": {"aws:k": "${aws:v}"}}, {"aws:k": ("abc",), "aws:v": ("a*",)})
    assert reads(HOME, "b/home/a.c/x", {"aws:username": ("a.c",)})
    assert not reads(HOME, "b/home/abc/x", {"aws:username": ("a.c",)})


def test_the_three_characters() -> None:
    assert reads("arn:aws:s3:::b/${*}/${?}${$}", "b/*/?$", {})
    assert not reads("arn:aws:s3:::b/${*}", "b/x", {})
    assert under({"StringEquals": {"aws:k": "${$}{aws:username}"}}, {"aws:k": ("${aws:username}",)})
    assert under({"StringLike": {"aws:k": "${*}*"}}, {"aws:k": ("*x",)})
    assert not under({"StringLike": {"aws:k": "${*}*"}}, {"aws:k": ("x",)})


def test_before_2012_there_are_no_variables() -> None:
    assert not reads(HOME, "b/home/David/x", DAVID, version="2008-10-17")
    assert reads(HOME, "b/home/${aws:username}/x", DAVID, version="2008-10-17")
    # The star inside the braces is a star then.
    assert reads("arn:aws:s3:::b/${*}", "b/${anything}", {}, version="2008-10-17")
    assert under({"StringEquals": {"aws:k": "${aws:username"}}, {"aws:k": ("${aws:username",)}, "2008-10-17")


@pytest.mark.parametrize(
    ("operator", "wanted", "context", "expected"),
    [
        ("StringEquals", "${aws:v}", {"aws:k": ("a",), "aws:v": ("a",)}, True),
        ("StringEquals", "${aws:v}", {"aws:k": ("a",), "aws:v": ("b",)}, False),
        ("StringEquals", "${aws:v}", {"aws:k": ("a",)}, False),
        ("StringEquals", "${aws:v}", {"aws:k": ("",)}, False),
        ("StringEqualsIgnoreCase", "X${aws:v}", {"aws:k": ("xab",), "aws:v": ("AB",)}, True),
        ("StringNotEquals", "${aws:v}", {"aws:k": ("a",)}, True),
        ("StringNotLike", "${aws:v}", {"aws:k": ("a",)}, True),
        ("StringLike", "${aws:v}-*", {"aws:k": ("a-1",), "aws:v": ("a",)}, True),
        ("StringLike", ["${aws:missing}", "a-*"], {"aws:k": ("a-1",)}, True),
        (
            "ArnLike",
            "arn:aws:iam::*:role/${aws:v}",
            {"aws:k": ("arn:aws:iam::1:role/r",), "aws:v": ("r",)},
            True,
        ),
        (
            "ArnEquals",
            "${aws:v}",
            {"aws:k": ("arn:aws:iam::1:role/r",), "aws:v": ("arn:aws:iam::1:role/r",)},
            True,
        ),
        ("ArnNotLike", "${aws:v}", {"aws:k": ("arn:aws:iam::1:role/r",)}, True),
        ("Bool", "${aws:v}", {"aws:k": ("true",), "aws:v": ("TRUE",)}, True),
    ],
)
def test_variables_in_conditions(operator: str, wanted: Any, context: Context, expected: bool) -> None:
    assert under({operator: {"aws:k": wanted}}, context) == expected


def test_a_missing_variable_in_not_resource_leaves_the_statement_in_force() -> None:
    # AWS: a Deny on NotResource of a null variable has effect.
    given = policy(statement(), {"Effect": "Deny", "Action": "*", "NotResource": HOME})
    request = Request("s3:GetObject", "arn:aws:s3:::b/home/David/x", {})
    assert decide(request, identity=[given]).effect == "Deny"
    assert decide(Request(request.action, request.resource, DAVID), identity=[given]).effect == "Allow"
