"""Intrinsic functions: what they refer to, and their values."""

import base64
import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .fault import invalid

VARIABLE = re.compile(r"\$\{([^!}][^}]*)\}")
LITERAL = re.compile(r"\$\{!([^}]*)\}")
CONDITIONAL = frozenset({"Fn::And", "Fn::Or", "Fn::Not", "Fn::Equals", "Condition"})


class _NoValue:
    """Stands for AWS::NoValue: what holds it leaves the key out."""


NO_VALUE = _NoValue()


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that is known only once `logical` was made; no two are equal, so it counts as a change."""

    logical: str
    attribute: str | None = None

    def __eq__(self, other: object) -> bool:
        return False

    def __hash__(self) -> int:
        return hash((self.logical, self.attribute))

    def __str__(self) -> str:
        return "{{changeSet:KNOWN_AFTER_APPLY}}"


Lookup = Callable[[str, str | None], Any]
"""(logical id, attribute or None for Ref) -> the resource's value."""


def called(node: Any) -> tuple[str, Any] | None:
    """Return (function, argument) if `node` is a call of an intrinsic function."""
    if isinstance(node, dict) and len(node) == 1:
        ((name, argument),) = node.items()
        if name == "Ref" or name.startswith("Fn::") or (name == "Condition" and isinstance(argument, str)):
            return name, argument
    return None


def target(argument: Any) -> tuple[str, str]:
    """Return GetAtt's (logical id, attribute); the attribute may hold dots."""
    parts = argument.split(".", 1) if isinstance(argument, str) else argument
    if (
        not isinstance(parts, list)
        or len(parts) != 2
        or not all(isinstance(part, str) and part for part in parts)
    ):
        raise invalid(
            "Template error: every Fn::GetAtt object requires two non-empty parameters, "
            "the resource name and the resource attribute"
        )
    return parts[0], parts[1]


def substitution(argument: Any) -> tuple[str, dict[str, Any]]:
    """Return Sub's (text, variables of its own)."""
    if isinstance(argument, str):
        return argument, {}
    if isinstance(argument, list) and len(argument) == 2 and isinstance(argument[1], dict):
        return str(argument[0]), argument[1]
    raise invalid(
        "Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments. "
        "Specify a string as first argument, and an optional second argument to specify a mapping of values"
    )


def references(node: Any) -> Iterator[tuple[str, str | None]]:
    """Yield (name, attribute or None) of every Ref, GetAtt and Sub variable in `node`."""
    match called(node):
        case ("Ref", str() as name):
            yield name, None
        case ("Fn::GetAtt", argument):
            yield target(argument)
        case ("Fn::Sub", argument):
            text, variables = substitution(argument)
            for name in VARIABLE.findall(text):
                if name.strip() not in variables:
                    first, _, rest = name.strip().partition(".")
                    yield first, rest or None
            yield from references(list(variables.values()))
        case _:
            children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
            for child in children:
                yield from references(child)


def conditions(node: Any) -> Iterator[str]:
    """Yield the name of every condition that `node` asks for."""
    match called(node):
        case ("Condition", str() as name):
            yield name
        case ("Fn::If", [str() as name, *rest]):
            yield name
            yield from conditions(rest)
        case _:
            children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
            for child in children:
                yield from conditions(child)


@dataclass(slots=True)
class Resolver:
    """Gives a template's nodes their values.

    `names` are the parameters and pseudo parameters, `zones` the region's availability zones.
    """

    names: Mapping[str, Any]
    mappings: Mapping[str, Any]
    conditions: Mapping[str, Any]
    lookup: Lookup
    zones: Callable[[], list[str]]
    _truths: dict[str, bool] = field(default_factory=dict)

    def value(self, node: Any) -> Any:
        """Return `node` with every function replaced by its value, and AWS::NoValue left out."""
        call = called(node)
        if call:
            function = FUNCTIONS.get(call[0])
            if function is None:
                raise invalid(f"Template error: {call[0]} is not supported by Slipway's stand-in")
            return function(self, call[1])
        if isinstance(node, dict):
            pairs = ((key, self.value(item)) for key, item in node.items())
            return {key: item for key, item in pairs if item is not NO_VALUE}
        if isinstance(node, list):
            return [item for item in map(self.value, node) if item is not NO_VALUE]
        return node

    def holds(self, name: str) -> bool:
        """Tell whether the condition `name` is true."""
        if name not in self.conditions:
            raise invalid(f"Template format error: Unresolved condition dependency {name}")
        if name not in self._truths:
            self._truths[name] = self._truth(self.conditions[name])
        return self._truths[name]

    def _truth(self, node: Any) -> bool:
        match called(node):
            case ("Condition", str() as name):
                return self.holds(name)
            case ("Fn::And", list() as parts):
                return all(self._truth(part) for part in parts)
            case ("Fn::Or", list() as parts):
                return any(self._truth(part) for part in parts)
            case ("Fn::Not", [part]):
                return not self._truth(part)
            case ("Fn::Equals", [left, right]):
                return text(self.value(left)) == text(self.value(right))
        raise invalid("Template format error: Every Conditions member must be a condition function.")

    def reference(self, name: str) -> Any:
        """Return what Ref gives."""
        if name == "AWS::NoValue":
            return NO_VALUE
        return self.names[name] if name in self.names else self.lookup(name, None)

    def substitute(self, argument: Any) -> Any:
        """Fn::Sub."""
        template, variables = substitution(argument)
        unknown: list[Unknown] = []

        def fill(match: re.Match[str]) -> str:
            name = match[1].strip()
            if name in variables:
                value = self.value(variables[name])
            elif "." in name:
                value = self.lookup(*name.split(".", 1))
            else:
                value = self.reference(name)
            if isinstance(value, Unknown):
                unknown.append(value)
            return text(value)

        filled = LITERAL.sub(r"${\1}", VARIABLE.sub(fill, template))
        return unknown[0] if unknown else filled

    def join(self, argument: Any) -> Any:
        """Fn::Join."""
        delimiter, items = _arguments("Fn::Join", argument, 2)
        values = self.value(items)
        if isinstance(values, Unknown):
            return values
        if not isinstance(values, list):
            raise invalid(
                "Template error: every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to be joined"
            )
        unknown = [item for item in values if isinstance(item, Unknown)]
        return unknown[0] if unknown else str(delimiter).join(map(text, values))

    def select(self, argument: Any) -> Any:
        """Fn::Select."""
        index, items = (self.value(part) for part in _arguments("Fn::Select", argument, 2))
        if isinstance(items, Unknown):
            return items
        if not isinstance(items, list) or not str(index).isdecimal() or int(index) >= len(items):
            raise invalid("Template error: Fn::Select cannot select nonexistent value at index " + str(index))
        return items[int(index)]

    def split(self, argument: Any) -> Any:
        """Fn::Split."""
        delimiter, source = _arguments("Fn::Split", argument, 2)
        value = self.value(source)
        return value if isinstance(value, Unknown) else text(value).split(str(delimiter))

    def choose(self, argument: Any) -> Any:
        """Fn::If."""
        name, yes, no = _arguments("Fn::If", argument, 3)
        return self.value(yes if self.holds(name) else no)

    def find_in_map(self, argument: Any) -> Any:
        """Fn::FindInMap."""
        name, first, second = (self.value(part) for part in _arguments("Fn::FindInMap", argument, 3))
        if name not in self.mappings:
            raise invalid(
                f"Template error: Mapping named '{name}' is not present in the 'Mappings' section of template."
            )
        try:
            return self.mappings[name][str(first)][str(second)]
        except KeyError:
            raise invalid(f"Template error: Unable to get mapping for {name}::{first}::{second}") from None

    def cidr(self, argument: Any) -> Any:
        """Fn::Cidr."""
        if not isinstance(argument, list) or len(argument) not in (2, 3):
            raise invalid("Template error: Fn::Cidr requires an ipBlock, a count and optionally cidrBits")
        block, count, *bits = (self.value(part) for part in argument)
        if isinstance(block, Unknown):
            return block
        network = ipaddress.ip_network(block)
        length = network.max_prefixlen - int(bits[0] if bits else 8)
        subnets = network.subnets(new_prefix=length) if length >= network.prefixlen else iter(())
        found = [str(subnet) for subnet, _ in zip(subnets, range(int(count)), strict=False)]
        if len(found) < int(count):
            raise invalid(
                f"Template error: Fn::Cidr cannot cut {count} blocks of {length} bits out of {block}"
            )
        return found

    def encode(self, argument: Any) -> Any:
        """Fn::Base64."""
        value = self.value(argument)
        return value if isinstance(value, Unknown) else base64.b64encode(text(value).encode()).decode()

    def availability_zones(self, argument: Any) -> list[str]:
        """Fn::GetAZs."""
        region = self.value(argument)
        if region and region != self.names["AWS::Region"]:
            raise invalid(
                f"Template error: Fn::GetAZs of another region ({region}) is not supported by the stand-in"
            )
        return self.zones()

    def attribute(self, argument: Any) -> Any:
        """Fn::GetAtt."""
        return self.lookup(*target(argument))


def text(value: Any) -> str:
    """Write a scalar as CloudFormation does in strings."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(map(text, value))
    return str(value)


def _arguments(function: str, argument: Any, count: int) -> list[Any]:
    if not isinstance(argument, list) or len(argument) != count:
        raise invalid(f"Template error: {function} requires a list of {count} arguments")
    return argument


FUNCTIONS: dict[str, Callable[[Resolver, Any], Any]] = {
    "Ref": Resolver.reference,
    "Fn::GetAtt": Resolver.attribute,
    "Fn::Sub": Resolver.substitute,
    "Fn::Join": Resolver.join,
    "Fn::Select": Resolver.select,
    "Fn::Split": Resolver.split,
    "Fn::If": Resolver.choose,
    "Fn::FindInMap": Resolver.find_in_map,
    "Fn::GetAZs": Resolver.availability_zones,
    "Fn::Cidr": Resolver.cidr,
    "Fn::Base64": Resolver.encode,
}
"""What may stand in a property; all others are refused by name."""
