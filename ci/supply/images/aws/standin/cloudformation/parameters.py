"""A template's parameters: their declarations, and the values that a request gives them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .fault import invalid
from .functions import text

LISTS = re.compile(r"CommaDelimitedList|List<.+>")
TYPES = re.compile(
    r"String|Number|CommaDelimitedList|List<(String|Number)>"
    r"|(List<)?AWS::EC2::(AvailabilityZone::Name|SecurityGroup::Id|Subnet::Id|VPC::Id|KeyPair::KeyName)>?"
    r"|AWS::Route53::HostedZone::Id"
)
FIELDS = frozenset(
    "Type Default Description NoEcho AllowedValues AllowedPattern ConstraintDescription MinLength MaxLength MinValue MaxValue".split()
)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One declaration; `rules` are the fields of the template that restrict values."""

    name: str
    type: str
    default: str | None
    description: str
    no_echo: bool
    rules: Mapping[str, Any]

    @property
    def is_list(self) -> bool:
        """Whether Ref gives a list."""
        return LISTS.fullmatch(self.type) is not None

    def ref(self, value: str) -> Any:
        """Return what Ref gives for `value`."""
        if not self.is_list:
            return value
        return [item.strip() for item in value.split(",")] if value else []


def declare(name: str, fields: Any) -> Parameter:
    """Read one entry of a template's Parameters."""
    if not isinstance(fields, dict) or "Type" not in fields:
        raise invalid("Template format error: Every Parameters object must contain a Type member.")
    unknown = sorted(set(fields) - FIELDS)
    if unknown:
        raise invalid(f"Invalid template parameter property '{unknown[0]}'")
    if not TYPES.fullmatch(str(fields["Type"])):
        raise invalid(f"Template format error: Unrecognized parameter type: {fields['Type']}")
    if not isinstance(fields.get("AllowedValues", []), list):
        raise invalid("Template format error: Every AllowedValues member must be a list.")
    return Parameter(
        name=name,
        type=fields["Type"],
        default=text(fields["Default"]) if "Default" in fields else None,
        description=str(fields.get("Description", "")),
        no_echo=fields.get("NoEcho") in (True, "true"),
        rules={key: fields[key] for key in fields.keys() - {"Type", "Default", "Description", "NoEcho"}},
    )


def settle(
    declared: Mapping[str, Parameter], given: Sequence[Mapping[str, Any]], previous: Mapping[str, str]
) -> dict[str, str]:
    """Return a value for every declared parameter; raise Fault if one is missing, unknown or not allowed."""
    values = {}
    for entry in given:
        name = entry["ParameterKey"]
        if entry.get("UsePreviousValue"):
            if name not in previous:
                raise invalid(
                    f"Invalid input for parameter key {name}. Cannot specify usePreviousValue as true for a parameter key not in the previous template"
                )
            values[name] = previous[name]
        elif "ParameterValue" in entry:
            values[name] = entry["ParameterValue"]
    strange = sorted(values.keys() - declared.keys())
    if strange:
        raise invalid(f"Parameters: [{', '.join(strange)}] do not exist in the template")
    for name, parameter in declared.items():
        if name not in values and parameter.default is not None:
            values[name] = parameter.default
    missing = [name for name in declared if name not in values]
    if missing:
        raise invalid(f"Parameters: [{', '.join(missing)}] must have values")
    for name, parameter in declared.items():
        _check(parameter, values[name])
    return {name: values[name] for name in declared}


def _check(parameter: Parameter, value: str) -> None:
    items = parameter.ref(value) if parameter.is_list else [value]
    for item in items:
        reason = _broken(parameter, item)
        if reason:
            words = parameter.rules.get("ConstraintDescription")
            raise invalid(
                f"Parameter {parameter.name} failed to satisfy constraint: {words}"
                if words
                else f"Parameter '{parameter.name}' {reason}"
            )


def _broken(parameter: Parameter, item: str) -> str | None:
    rules = parameter.rules
    if "Number" in parameter.type:
        if not re.fullmatch(r"[-+]?(\d+(\.\d*)?|\.\d+)", item):
            return "must be a number"
        if "MinValue" in rules and float(item) < float(rules["MinValue"]):
            return f"must be a number not less than {rules['MinValue']}"
        if "MaxValue" in rules and float(item) > float(rules["MaxValue"]):
            return f"must be a number not greater than {rules['MaxValue']}"
    if "AllowedValues" in rules and item not in map(text, rules["AllowedValues"]):
        return "must be one of AllowedValues"
    if "AllowedPattern" in rules and not re.fullmatch(rules["AllowedPattern"], item):
        return f"must match pattern {rules['AllowedPattern']}"
    if "MinLength" in rules and len(item) < int(rules["MinLength"]):
        return f"must contain at least {rules['MinLength']} characters"
    if "MaxLength" in rules and len(item) > int(rules["MaxLength"]):
        return f"must contain at most {rules['MaxLength']} characters"
    return None
