"""Read a CloudFormation template: its short forms (`!Ref`) as the long ones (`{"Ref": ...}`)."""

import re
from collections.abc import Iterator
from typing import Any

import yaml

_PLAIN = {"Ref": "Ref", "Condition": "Condition"}
_IN_TEXT = re.compile(r"\$\{([A-Za-z0-9]+)(?:\.[A-Za-z0-9.]+)?\}")


class _Loader(yaml.SafeLoader):
    pass


def _short_form(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        if suffix == "GetAtt":
            value = value.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {_PLAIN.get(suffix, f"Fn::{suffix}"): value}


_Loader.add_multi_constructor("!", _short_form)


def parse(text: str) -> dict[str, Any]:
    """Return the template as data."""
    data: dict[str, Any] = yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader, with the short forms added
    return data


def references(value: Any) -> Iterator[str]:
    """Yield the logical ids and parameters that a part of a template refers to."""
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    if not isinstance(value, dict):
        return
    for name, inner in value.items():
        if name == "Ref":
            yield inner
        elif name == "Fn::GetAtt":
            yield inner[0] if isinstance(inner, list) else inner.split(".")[0]
        else:
            if name == "Fn::Sub":
                text = inner if isinstance(inner, str) else inner[0]
                yield from _IN_TEXT.findall(text)
            yield from references(inner)
