"""Read a CloudFormation template: its short forms (`!Ref`) as the long ones (`{"Ref": ...}`)."""

import re
from collections.abc import Iterator, Mapping
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
        assert isinstance(node, yaml.MappingNode)
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


def resources(data: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, str]:
    """Return logical id and type of what the template makes with these parameters: its conditions decide."""
    conditions = data.get("Conditions", {})
    return {
        name: resource["Type"]
        for name, resource in data["Resources"].items()
        if "Condition" not in resource or _holds({"Condition": resource["Condition"]}, conditions, values)
    }


def _holds(test: Any, conditions: Mapping[str, Any], values: Mapping[str, str]) -> bool:
    ((name, inner),) = test.items()
    if name == "Condition":
        return _holds(conditions[inner], conditions, values)
    if name == "Fn::Equals":
        left, right = (values[side["Ref"]] if isinstance(side, dict) else side for side in inner)
        return bool(left == right)
    results = [_holds(part, conditions, values) for part in inner]
    return {
        "Fn::Not": lambda: not results[0],
        "Fn::And": lambda: all(results),
        "Fn::Or": lambda: any(results),
    }[name]()
