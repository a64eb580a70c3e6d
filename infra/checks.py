"""Read one value of a parameters file: each check returns the typed value, or raises ValueError."""

import re
from collections.abc import Callable
from ipaddress import IPv4Network
from typing import Any, TypeVar

T = TypeVar("T")
Check = Callable[[Any], T]


def flag(value: Any) -> bool:
    """Take true or false; a word in quotes is neither."""
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is neither true nor false")
    return value


def whole(low: int, high: int) -> Check[int]:
    """Return a check for a whole number from `low` to `high`."""

    def check(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise ValueError(f"{value!r} is not a whole number from {low} to {high}")
        return value

    return check


def one_of(*words: str | int) -> Check[Any]:
    """Return a check for one of `words`."""

    def check(value: Any) -> Any:
        if value not in words or isinstance(value, bool):
            raise ValueError(f"{value!r} is not one of {', '.join(map(str, words))}")
        return value

    return check


def matching(expression: str, example: str) -> Check[str]:
    """Return a check for a string that fits all of `expression`; `example` is shown where it does not."""

    def check(value: Any) -> str:
        if not isinstance(value, str):
            raise ValueError(f'{value!r} is no string; write it in quotes, as "{example}"')
        if not re.fullmatch(expression, value):
            raise ValueError(f"'{value}' is malformed; it is written as {example}")
        return value

    return check


def network(longest: int, shortest: int) -> Check[IPv4Network]:
    """Return a check for an IPv4 CIDR whose prefix is from `longest` to `shortest` bits long."""

    def check(value: Any) -> IPv4Network:
        try:
            if not isinstance(value, str) or "/" not in value:
                raise ValueError("no CIDR")
            found = IPv4Network(value)
        except ValueError as error:
            hint = ", its host bits are not zero" if "host bits" in str(error) else ""
            raise ValueError(f"{value!r} is not an IPv4 network such as 10.20.0.0/16{hint}") from None
        if not longest <= found.prefixlen <= shortest:
            raise ValueError(f"{found} is not between /{longest} and /{shortest}")
        return found

    return check


def some(check: Check[T], low: int, high: int) -> Check[tuple[T, ...]]:
    """Return a check for a list of `low` to `high` different values that each pass `check`."""

    def checked(values: Any) -> tuple[T, ...]:
        if not isinstance(values, list):
            raise ValueError(f"{values!r} is no list")
        if not low <= len(values) <= high:
            raise ValueError(f"{len(values)} values are given, {low} to {high} are wanted")
        found = tuple(check(value) for value in values)
        for number, value in enumerate(found):
            if value in found[:number]:
                raise ValueError(f"{value} is there twice")
        return found

    return checked
