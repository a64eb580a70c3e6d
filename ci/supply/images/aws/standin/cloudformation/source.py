"""A template's text -> plain data, with YAML's short forms (`!Sub`) written out (`Fn::Sub`)."""

import json
from typing import Any

import yaml

from .fault import invalid

PLAIN = frozenset({"Ref", "Condition"})
"""Functions whose long form has no `Fn::` in front."""

FUNCTIONS = (
    "And", "Base64", "Cidr", "Equals", "FindInMap", "GetAZs", "GetAtt", "If", "ImportValue", "Join",
    "Not", "Or", "Select", "Split", "Sub", "ToJsonString", "Transform",
)  # fmt: skip


class _Loader(yaml.SafeLoader):
    """YAML as CloudFormation reads it: no dates, no aliases, no key twice."""

    # `2012-10-17` in a policy is a string, not a date.
    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own name, and it declares it as it is
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise invalid("Template error: YAML aliases are not allowed in CloudFormation templates")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key, _ in node.value:
            if key.value in seen:
                place = f"line {key.start_mark.line + 1}, column {key.start_mark.column + 1}"
                raise invalid(
                    f"Template format error: YAML not well-formed. ({place}: key {key.value} twice)"
                )
            seen.add(key.value)
        return {str(key): value for key, value in super().construct_mapping(node, deep=True).items()}


def _function(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if suffix not in PLAIN and suffix not in FUNCTIONS:
        raise invalid(f"Template format error: YAML not well-formed. (unknown tag !{suffix})")
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        if suffix == "GetAtt":
            value = value.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type] # all that is left
    return {suffix if suffix in PLAIN else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _function)


def parse(text: str) -> dict[str, Any]:
    """Read YAML or JSON; raise Fault if it is neither, or no mapping."""
    try:
        data = json.loads(text) if text.lstrip().startswith("{") else yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise invalid(f"Template format error: JSON not well-formed. ({place})") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else str(error)
        raise invalid(f"Template format error: YAML not well-formed. ({place})") from None
    if not isinstance(data, dict):
        raise invalid("Template format error: unsupported structure.")
    return data
