"""Every operator, with keys that match, differ, are absent, empty and many: AWS's documented semantics."""

from typing import Any

import pytest

from tests.unit.policies.iam.documents import under

ARN = "arn:aws:sns:eu-west-1:123456789012:topic"
ABSENT: dict[str, tuple[str, ...]] = {}


def one(value: str) -> dict[str, tuple[str, ...]]:
    return {"aws:k": (value,)}


@pytest.mark.parametrize(
    ("operator", "wanted", "value", "expected"),
    [
        ("StringEquals", "a", "a", True),
        ("StringEquals", "a", "A", False),
        ("StringEquals", "a*", "ab", False),
        ("StringEquals", "a*", "a*", True),
        ("StringEquals", "a?", "ab", False),
        ("StringEquals", ["a", "b"], "b", True),
        ("StringEquals", "", "", True),
        ("StringEquals", [], "a", False),
        ("StringNotEquals", "a", "b", True),
        ("StringNotEquals", "a", "a", False),
        ("StringNotEquals", ["a", "b"], "b", False),
        ("StringNotEquals", ["a", "b"], "c", True),
        ("StringNotEquals", "a*", "ab", True),
        ("StringNotEquals", [], "a", True),
        ("StringEqualsIgnoreCase", "aB", "Ab", True),
        ("StringEqualsIgnoreCase", "aB", "Abc", False),
        ("StringNotEqualsIgnoreCase", "aB", "Ab", False),
        ("StringNotEqualsIgnoreCase", "aB", "c", True),
        ("StringLike", "a*", "ab", True),
        ("StringLike", "a*", "Ab", False),
        ("StringLike", "a?c", "abc", True),
        ("StringLike", "a?c", "ac", False),
        ("StringLike", "a", "ab", False),
        ("StringLike", "*:b:*", "x:y:b:z", True),
        ("StringLike", "a.c", "abc", False),
        ("StringNotLike", "a*", "ab", False),
        ("StringNotLike", "a*", "b", True),
        ("NumericEquals", "10", "10.0", True),
        ("NumericEquals", "10", "010", True),
        ("NumericEquals", 10, "10", True),
        ("NumericEquals", "10", "ten", False),
        ("NumericEquals", "0.1", "0.10", True),
        ("NumericNotEquals", "10", "11", True),
        ("NumericNotEquals", "10", "10.0", False),
        ("NumericNotEquals", "10", "ten", True),
        ("NumericLessThan", "10", "9", True),
        ("NumericLessThan", "10", "10", False),
        ("NumericLessThan", "10", "9a", False),
        ("NumericLessThanEquals", "10", "10", True),
        ("NumericLessThanEquals", "10", "10.1", False),
        ("NumericGreaterThan", "10", "9", False),
        ("NumericGreaterThan", "-10", "-9", True),
        ("NumericGreaterThan", "10", "10", False),
        ("NumericGreaterThanEquals", "10", "10", True),
        ("NumericGreaterThanEquals", "10", "9.99", False),
        ("DateEquals", "2026-11-25", "2026-11-25T00:00:00Z", True),
        ("DateEquals", "2026-11", "2026-11-01T00:00:00.0Z", True),
        ("DateEquals", "2026-11-25T09:00+09:00", "2026-11-25T00:00:00Z", True),
        ("DateEquals", "2026-11-25T00:00:00-01:30", "2026-11-25T01:30:00Z", True),
        ("DateEquals", "1764028800", "2025-11-25T00:00:00z", True),
        ("DateEquals", "2026", "1970-01-01T00:33:46Z", True),
        ("DateEquals", "2026-11-25T00:00:00.25Z", "2026-11-25T00:00:00.250Z", True),
        ("DateEquals", "2026-11-25", "yesterday", False),
        ("DateNotEquals", "2026-11-25", "2026-11-26", True),
        ("DateNotEquals", "2026-11-25", "2026-11-25", False),
        ("DateLessThan", "2026-11-25", "2026-11-24T23:59:59Z", True),
        ("DateLessThan", "2026-11-25", "2026-11-25T00:00:00Z", False),
        ("DateLessThanEquals", "2026-11-25", "2026-11-25T00:00:00Z", True),
        ("DateLessThanEquals", "2026-11-25", "2026-11-25T00:00:00.001Z", False),
        ("DateGreaterThan", "2026-11-25", "2026-11-25T00:00:01Z", True),
        ("DateGreaterThan", "2026-11-25", "2026-11-25", False),
        ("DateGreaterThanEquals", "2026-11-25", "2026-11-25", True),
        ("DateGreaterThanEquals", "2026-11-25", "2026-11-24", False),
        ("Bool", "true", "true", True),
        ("Bool", "True", "tRUE", True),
        ("Bool", True, "true", True),
        ("Bool", "false", "true", False),
        ("Bool", ["true", "false"], "false", True),
        ("BinaryEquals", "QmluYXJ5", "QmluYXJ5", True),
        ("BinaryEquals", "QmluYXJ5", "qmluYXJ5", False),
        ("BinaryEquals", "QmluYXJ5", "no base64!", False),
        ("IpAddress", "203.0.113.0/24", "203.0.113.255", True),
        ("IpAddress", "203.0.113.0/24", "203.0.114.0", False),
        ("IpAddress", "203.0.113.7/24", "203.0.113.1", True),
        ("IpAddress", "203.0.113.7", "203.0.113.7", True),
        ("IpAddress", "203.0.113.7", "203.0.113.8", False),
        ("IpAddress", "0.0.0.0/0", "2001:db8::1", False),
        ("IpAddress", "0.0.0.0/0", "::1", False),
        ("IpAddress", "2001:DB8:1234:5678::/64", "2001:db8:1234:5678:1::9", True),
        ("IpAddress", "2001:DB8::/32", "2001:db9::1", False),
        ("IpAddress", ["10.0.0.0/8", "2001:db8::/32"], "2001:db8::1", True),
        ("IpAddress", "10.0.0.0/8", "ten", False),
        ("NotIpAddress", "203.0.113.0/24", "203.0.113.255", False),
        ("NotIpAddress", "203.0.113.0/24", "203.0.114.0", True),
        ("ArnEquals", ARN, ARN, True),
        ("ArnEquals", "arn:aws:sns:*:123456789012:t*", ARN, True),
        ("ArnLike", "arn:aws:sns:*:123456789012:t?pic", ARN, True),
        ("ArnLike", "arn:aws:sns:*:*:*", ARN, True),
        ("ArnLike", "*", ARN, True),
        ("ArnLike", "*", "topic", False),
        ("ArnLike", "*:*:*:*:*:*", "a:b:c:d:e:f", False),
        ("ArnLike", "arn:aws:sns:*:topic:x", ARN, False),
        ("ArnLike", ARN, ARN.upper(), False),
        ("ArnNotEquals", ARN, ARN, False),
        ("ArnNotEquals", ARN, f"{ARN}s", True),
        ("ArnNotLike", "arn:aws:sns:*:*:t*", ARN, False),
        ("ArnNotLike", "arn:aws:sns:*:*:x*", ARN, True),
    ],
)
def test_one_value(operator: str, wanted: Any, value: str, expected: bool) -> None:
    assert under({operator: {"aws:k": wanted}}, one(value)) == expected


def test_the_documented_difference_between_arn_and_string() -> None:
    pattern = "arn:aws:someservice:*:111122223333:finance/*"
    value = one("arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt")
    assert under({"StringLike": {"aws:k": pattern}}, value)
    assert not under({"ArnLike": {"aws:k": pattern}}, value)


POSITIVE = {
    "StringEquals": "a", "StringEqualsIgnoreCase": "a", "StringLike": "*", "NumericEquals": "1", "NumericLessThan": "1",
    "NumericLessThanEquals": "1", "NumericGreaterThan": "1", "NumericGreaterThanEquals": "1", "DateEquals": "2026-01-01",
    "DateLessThan": "2026-01-01", "DateLessThanEquals": "2026-01-01", "DateGreaterThan": "2026-01-01",
    "DateGreaterThanEquals": "2026-01-01", "Bool": "true", "BinaryEquals": "YQ==", "IpAddress": "0.0.0.0/0",
    "ArnEquals": "*", "ArnLike": "*",
}  # fmt: skip
NEGATED = {
    "StringNotEquals": "a", "StringNotEqualsIgnoreCase": "a", "StringNotLike": "*", "NumericNotEquals": "1",
    "DateNotEquals": "2026-01-01", "NotIpAddress": "0.0.0.0/0", "ArnNotEquals": "*", "ArnNotLike": "*",
}  # fmt: skip


@pytest.mark.parametrize("context", [ABSENT, {"aws:k": ()}], ids=["absent", "no values"])
@pytest.mark.parametrize(("operator", "wanted"), [*POSITIVE.items(), *NEGATED.items()])
def test_a_missing_key(operator: str, wanted: str, context: dict[str, tuple[str, ...]]) -> None:
    assert under({operator: {"aws:k": wanted}}, context) == (operator in NEGATED)
    assert under({f"{operator}IfExists": {"aws:k": wanted}}, context)
    assert under({f"ForAllValues:{operator}": {"aws:k": wanted}}, context)
    assert not under({f"ForAnyValue:{operator}": {"aws:k": wanted}}, context)
    assert under({f"ForAllValues:{operator}IfExists": {"aws:k": wanted}}, context)
    assert under({f"ForAnyValue:{operator}IfExists": {"aws:k": wanted}}, context)


@pytest.mark.parametrize(
    ("operator", "wanted", "values", "expected"),
    [
        ("ForAllValues:StringEquals", ["a", "b"], ("a", "b"), True),
        ("ForAllValues:StringEquals", ["a", "b"], ("a",), True),
        ("ForAllValues:StringEquals", ["a", "b"], ("a", "c"), False),
        ("ForAllValues:StringEquals", ["a"], ("",), True),
        ("ForAllValues:StringEquals", [], ("a",), False),
        ("ForAllValues:StringNotEquals", ["a", "b"], ("c", "d"), True),
        ("ForAllValues:StringNotEquals", ["a", "b"], ("c", "a"), False),
        ("ForAllValues:StringLike", ["a*"], ("ab", "ac"), True),
        ("ForAnyValue:StringEquals", ["a", "b"], ("c", "b"), True),
        ("ForAnyValue:StringEquals", ["a", "b"], ("c", "d"), False),
        ("ForAnyValue:StringEquals", ["a"], ("",), False),
        ("ForAnyValue:StringEquals", [""], ("",), False),
        ("ForAnyValue:StringNotEquals", ["a", "b"], ("a", "c"), True),
        ("ForAnyValue:StringNotEquals", ["a", "b"], ("a", "b"), False),
        ("ForAnyValue:NumericLessThan", ["5"], ("9", "4"), True),
        ("ForAllValues:NumericLessThan", ["5"], ("9", "4"), False),
        ("ForAnyValue:IpAddress", ["10.0.0.0/8"], ("192.0.2.1", "10.1.1.1"), True),
        ("ForAllValues:ArnLike", ["arn:aws:sns:*:*:*"], (ARN, "arn:aws:sqs:::q"), False),
        ("ForAnyValue:ArnLikeIfExists", ["arn:aws:sns:*:*:*"], ("arn:aws:sqs:::q",), False),
        ("ForAnyValue:StringEqualsIfExists", ["a"], ("",), False),
        # AWS leaves several values under a plain operator open; see Condition.holds.
        ("StringEquals", ["a"], ("a", "b"), True),
        ("StringNotEquals", ["a"], ("a", "b"), False),
        ("StringEqualsIfExists", ["a"], ("c", "b"), False),
    ],
)
def test_many_values(operator: str, wanted: list[str], values: tuple[str, ...], expected: bool) -> None:
    assert under({operator: {"aws:k": wanted}}, {"aws:k": values}) == expected


@pytest.mark.parametrize(
    ("wanted", "context", "expected"),
    [
        ("true", ABSENT, True),
        ("false", ABSENT, False),
        ("true", one("a"), False),
        ("false", one("a"), True),
        (True, ABSENT, True),
        ("True", ABSENT, True),
        (["true", "false"], one("a"), True),
        ("true", one(""), True),
        ("false", one(""), False),
        ("false", {"aws:k": ("", "a")}, True),
    ],
)
def test_null(wanted: Any, context: dict[str, tuple[str, ...]], expected: bool) -> None:
    assert under({"Null": {"aws:k": wanted}}, context) == expected


def test_operators_and_keys_are_joined_by_and() -> None:
    condition = {"StringEquals": {"aws:k": "a", "aws:l": "b"}, "Bool": {"aws:m": "true"}}
    full = {"aws:k": ("a",), "aws:l": ("b",), "aws:m": ("true",)}
    assert under(condition, full)
    for key in full:
        assert not under(condition, {**full, key: ("false",)})


def test_keys_are_the_same_in_any_case() -> None:
    assert under({"StringEquals": {"AWS:PrincipalTag/Team": "a"}}, {"aws:principaltag/TEAM": ("a",)})


def test_null_with_false_closes_the_hole_of_for_all_values() -> None:
    condition = {"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}, "Null": {"aws:TagKeys": "false"}}
    assert under(condition, {"aws:tagkeys": ("a",)})
    assert not under(condition, {})
    assert not under(condition, {"aws:tagkeys": ("",)})
