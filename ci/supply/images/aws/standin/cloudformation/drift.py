"""Drift: what the template says against what the services tell back."""

import json
from collections.abc import Iterator
from typing import Any

from . import schemas
from .fault import Failure
from .resources import ADAPTERS
from .state import Made, Stack
from .world import World


def detect(world: World, stack: Stack) -> None:
    """Compare every resource and keep the results in the stack."""
    problems = []
    for made in stack.resources.values():
        try:
            made.drift = _result(world, stack, made)
        except Failure as failure:
            made.drift = None
            problems.append(f"{made.logical}: {failure}")
    drifted = any(
        made.drift and made.drift["StackResourceDriftStatus"] in ("MODIFIED", "DELETED")
        for made in stack.resources.values()
    )
    result = "DRIFTED" if drifted else "IN_SYNC"
    stack.drift = ("UNKNOWN" if problems else result, world.clock(), "; ".join(problems))


def _result(world: World, stack: Stack, made: Made) -> dict[str, Any]:
    live = world.read(stack, made)
    expected = comparable(made, stack.region)
    found = {
        "StackId": stack.id,
        "LogicalResourceId": made.logical,
        "PhysicalResourceId": made.physical,
        "ResourceType": made.type,
        "ExpectedProperties": json.dumps(expected, sort_keys=True),
        "Timestamp": world.clock(),
    }
    if live is None:
        return found | {"PropertyDifferences": [], "StackResourceDriftStatus": "DELETED"}
    actual = {name: live[name] for name in expected if name in live}
    differences = list(compare(expected, actual, made.type, stack.region))
    return found | {
        "ActualProperties": json.dumps(actual, sort_keys=True),
        "PropertyDifferences": differences,
        "StackResourceDriftStatus": "MODIFIED" if differences else "IN_SYNC",
    }


def comparable(made: Made, region: str) -> dict[str, Any]:
    """Return the properties that can be read back: not the write-only ones, nor what hangs on a secret."""
    schema = schemas.load(made.type, region)
    values: dict[str, Any] = json.loads(json.dumps(made.properties))
    for path in schema.paths("writeOnlyProperties"):
        _drop(values, list(path))
    return {
        name: value
        for name, value in values.items()
        if name not in ADAPTERS[made.type].unread and "{{resolve:" not in json.dumps(value)
    }


def compare(
    expected: dict[str, Any], actual: dict[str, Any], kind: str, region: str
) -> Iterator[dict[str, str]]:
    """Yield AWS's PropertyDifferences, one per property path."""
    schema = schemas.load(kind, region)
    for name, value in expected.items():
        loose = schema.unordered(name) or name == schema.tags
        yield from _compare(value, actual.get(name), f"/{name}", loose)


def _compare(expected: Any, actual: Any, path: str, loose: bool) -> Iterator[dict[str, str]]:
    if actual is None:
        yield _difference(path, expected, None)
    elif isinstance(expected, dict) and isinstance(actual, dict):
        for name, value in expected.items():
            yield from _compare(value, actual.get(name), f"{path}/{name}", loose)
        if loose:  # a map of tags: what was added by hand shows
            for name in actual.keys() - expected.keys():
                yield _difference(f"{path}/{name}", None, actual[name])
    elif isinstance(expected, list) and isinstance(actual, list):
        yield from _compare_lists(expected, actual, path, loose)
    elif not _same(expected, actual):
        yield _difference(path, expected, actual)


def _compare_lists(
    expected: list[Any], actual: list[Any], path: str, loose: bool
) -> Iterator[dict[str, str]]:
    if not loose and len(expected) == len(actual):
        for number, (left, right) in enumerate(zip(expected, actual, strict=True)):
            yield from _compare(left, right, f"{path}/{number}", loose)
        return
    left_over = list(actual)
    for number, item in enumerate(expected):
        match = next((other for other in left_over if not list(_compare(item, other, "", False))), None)
        if match is None:
            yield _difference(f"{path}/{number}", item, None)
        else:
            left_over.remove(match)
    for item in left_over:
        yield _difference(f"{path}/{actual.index(item)}", None, item)


def _same(expected: Any, actual: Any) -> bool:
    """Compare scalars; services write numbers and booleans as text here and there."""
    if isinstance(expected, bool) or isinstance(actual, bool):
        return str(expected).lower() == str(actual).lower()
    return str(expected) == str(actual)


def _difference(path: str, expected: Any, actual: Any) -> dict[str, str]:
    kind = "REMOVE" if actual is None else "ADD" if expected is None else "NOT_EQUAL"
    return {
        "PropertyPath": path,
        "ExpectedValue": _shown(expected),
        "ActualValue": _shown(actual),
        "DifferenceType": kind,
    }


def _shown(value: Any) -> str:
    return "null" if value is None else value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _drop(values: Any, path: list[str]) -> None:
    first, *rest = path
    if first == "*" and isinstance(values, list):
        for item in values:
            _drop(item, rest)
    elif isinstance(values, dict) and first in values:
        if rest:
            _drop(values[first], rest)
        else:
            del values[first]
