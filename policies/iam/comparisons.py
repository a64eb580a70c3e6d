"""How each family of condition operators compares one value of the request with the values of the policy.

Every builder takes the policy's values, compiles them, and returns a function of one request value. A policy
value that its family cannot read raises Malformed; a request value that it cannot read matches nothing.
Source: IAM User Guide, "IAM JSON policy elements: Condition operators".
"""

import base64
import binascii
import ipaddress
import operator
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, TypeVar

from policies.iam.malformed import Malformed
from policies.iam.patterns import Patterns, Reading, Text, patterns
from policies.iam.variables import Context
from policies.iam.wildcards import ARN_SEGMENTS, Style

T = TypeVar("T")

Compare = Callable[[str, Context], bool]
"""Whether one value of the request matches any value of the policy."""

Builder = Callable[[Sequence[Text], bool], Compare]
"""Makes a Compare; the second argument says whether the document's version knows variables."""

_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DATE = re.compile(
    r"(\d{4})-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:\d\d)?)?)?",
    re.ASCII | re.IGNORECASE,
)


def text(*, wildcards: bool = False, ignore_case: bool = False) -> Builder:
    """Return the builder of a String operator."""

    def build(values: Sequence[Text], variables: bool) -> Compare:
        return patterns(values, Reading(Style.TEXT, wildcards, variables, ignore_case)).match

    return build


def arn(values: Sequence[Text], variables: bool) -> Compare:
    """Compare ARNs segment by segment; ArnEquals and ArnLike are the same operator."""
    compiled: Patterns = patterns(values, Reading(Style.ARN, wildcards=True, variables=variables))
    for value in values:
        whole = value.value == "*" or value.value.count(":") >= ARN_SEGMENTS - 1
        if not (whole or (variables and "${" in value.value)):
            raise Malformed(value.where, f"'{value.value}' is no ARN: six parts, divided by colons")

    def compare(value: str, context: Context) -> bool:
        return value.startswith("arn:") and compiled.match(value, context)

    return compare


def truth(values: Sequence[Text], variables: bool) -> Compare:
    """Compare `true` and `false`, in any case."""
    compiled = patterns(values, Reading(Style.TEXT, wildcards=False, variables=variables, ignore_case=True))
    for value in values:
        if value.value.lower() not in ("true", "false") and not (variables and "${" in value.value):
            raise Malformed(value.where, f"'{value.value}' is neither true nor false")
    return compiled.match


def binary(values: Sequence[Text], _variables: bool) -> Compare:
    """Compare bytes that policy and request write in base64."""
    wanted = {_required(_bytes(value.value), value, "base64") for value in values}

    def compare(value: str, _context: Context) -> bool:
        return _bytes(value) in wanted

    return compare


def address(values: Sequence[Text], _variables: bool) -> Compare:
    """Compare an address of IPv4 or IPv6 with networks in CIDR notation; one without prefix is one address."""
    kind = "an address or a network in CIDR notation"
    spans = [_required(_span(value.value), value, kind) for value in values]

    def compare(value: str, _context: Context) -> bool:
        try:
            found = ipaddress.ip_address(value)
        except ValueError:
            return False
        return any(version == found.version and first <= int(found) <= last for version, first, last in spans)

    return compare


def number(relation: Callable[[Any, Any], bool]) -> Builder:
    """Return the builder of a Numeric operator."""
    return _ordered(_number, relation, "a number")


def date(relation: Callable[[Any, Any], bool]) -> Builder:
    """Return the builder of a Date operator."""
    return _ordered(_moment, relation, "a date: 2026-11-25, 2026-11-25T16:05:00Z or seconds since 1970")


def _ordered(read: Callable[[str], T | None], relation: Callable[[Any, Any], bool], kind: str) -> Builder:
    def build(values: Sequence[Text], _variables: bool) -> Compare:
        limits = [_required(read(value.value), value, kind) for value in values]

        def compare(value: str, _context: Context) -> bool:
            found = read(value)
            return found is not None and any(relation(found, limit) for limit in limits)

        return compare

    return build


def _required(value: T | None, written: Text, kind: str) -> T:
    if value is None:
        raise Malformed(written.where, f"'{written.value}' is not {kind}")
    return value


def _number(value: str) -> Decimal | None:
    return Decimal(value) if _NUMBER.fullmatch(value) else None


def _moment(value: str) -> int | None:
    """Return microseconds since 1970; without a hyphen a value counts seconds, so `2026` is no year."""
    if re.fullmatch(r"\d{1,19}", value, re.ASCII):
        return int(value) * 1_000_000
    match = _DATE.fullmatch(value)
    if match is None:
        return None
    year, month, day, hour, minute, second = match.group(1, 2, 3, 4, 5, 6)
    try:
        moment = datetime(
            int(year), int(month), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0),
            tzinfo=_zone(match.group(8)),
        )  # fmt: skip
    except ValueError:
        return None
    fraction = int((match.group(7) or "0")[:6].ljust(6, "0"))
    return (moment - _EPOCH) // timedelta(microseconds=1) + fraction


def _zone(written: str | None) -> timezone:
    if written is None or written in ("Z", "z"):
        return UTC
    sign = -1 if written.startswith("-") else 1
    return timezone(sign * timedelta(hours=int(written[1:3]), minutes=int(written[4:6])))


def _bytes(value: str) -> bytes | None:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return None


def _span(value: str) -> tuple[int, int, int] | None:
    """Return the network's version of IP, its first and its last address as numbers."""
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        return None
    return network.version, int(network.network_address), int(network.broadcast_address)


OPERATORS: dict[str, tuple[Builder, bool]] = {
    "StringEquals": (text(), False),
    "StringNotEquals": (text(), True),
    "StringEqualsIgnoreCase": (text(ignore_case=True), False),
    "StringNotEqualsIgnoreCase": (text(ignore_case=True), True),
    "StringLike": (text(wildcards=True), False),
    "StringNotLike": (text(wildcards=True), True),
    "NumericEquals": (number(operator.eq), False),
    "NumericNotEquals": (number(operator.eq), True),
    "NumericLessThan": (number(operator.lt), False),
    "NumericLessThanEquals": (number(operator.le), False),
    "NumericGreaterThan": (number(operator.gt), False),
    "NumericGreaterThanEquals": (number(operator.ge), False),
    "DateEquals": (date(operator.eq), False),
    "DateNotEquals": (date(operator.eq), True),
    "DateLessThan": (date(operator.lt), False),
    "DateLessThanEquals": (date(operator.le), False),
    "DateGreaterThan": (date(operator.gt), False),
    "DateGreaterThanEquals": (date(operator.ge), False),
    "Bool": (truth, False),
    "BinaryEquals": (binary, False),
    "IpAddress": (address, False),
    "NotIpAddress": (address, True),
    "ArnEquals": (arn, False),
    "ArnLike": (arn, False),
    "ArnNotEquals": (arn, True),
    "ArnNotLike": (arn, True),
}
"""Every operator but Null: how it compares, and whether it holds when nothing matches."""
