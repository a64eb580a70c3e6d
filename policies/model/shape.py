"""Look into data whose shape nobody promised: what YAML and JSON give, so dict and list."""

from collections.abc import Iterator, Mapping
from typing import Any


def dig(value: Any, *path: str | int) -> Any:
    """Return what is at `path`, or None where the way ends early."""
    for part in path:
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return None
    return value


def mapping(value: Any) -> Mapping[str, Any]:
    """Return `value` where it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else {}


def sequence(value: Any) -> list[Any]:
    """Return `value` where it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def scalars(value: Any) -> Iterator[Any]:
    """Yield what is in `value` at any depth and is neither mapping nor list; keys are not in it."""
    if isinstance(value, Mapping | list):
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from scalars(each)
    else:
        yield value


def texts(value: Any) -> list[str]:
    """Return the text or texts that `value` is: one word may stand for a list of one."""
    if isinstance(value, str):
        return [value]
    return [item for item in sequence(value) if isinstance(item, str)]
