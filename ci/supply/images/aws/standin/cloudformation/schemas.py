"""AWS's own schemas of its resource types: which properties exist, and which of them force a replacement.

They come with cfn-lint, which moto's server installs anyway. Values are brought into the schema's types as
CloudFormation does it: "5" for an integer, true for a string, JSON text for an object.
"""

import functools
import importlib.util
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .functions import Unknown, text

FALLBACK = "us-east-1"
READABLE = frozenset(
    {
        "AWS::EC2::SecurityGroup",
        "AWS::EC2::Subnet",
        "AWS::EC2::VPC",
        "AWS::EKS::Nodegroup",
        "AWS::RDS::DBInstance",
    }
)
"""Types older than the schemas, whose plain properties answer to GetAtt too."""


@dataclass(frozen=True, slots=True)
class Schema:
    """One resource type as AWS publishes it."""

    document: Mapping[str, Any]

    @property
    def properties(self) -> Mapping[str, Any]:
        """The type's properties, the read-only ones among them."""
        found: Mapping[str, Any] = self.document["properties"]
        return found

    def paths(self, kind: str) -> tuple[tuple[str, ...], ...]:
        """Return the property paths listed under `kind`, such as createOnlyProperties."""
        return tuple(tuple(path.split("/")[2:]) for path in self.document.get(kind) or ())

    @property
    def read_only(self) -> frozenset[str]:
        """Properties that a template may not set."""
        return frozenset(path[0] for path in self.paths("readOnlyProperties") if len(path) == 1)

    @property
    def identifier(self) -> str | None:
        """The one property that names the resource, unless AWS gives the name."""
        paths = self.paths("primaryIdentifier")
        name = paths[0][0] if len(paths) == 1 else None
        return None if name in self.read_only else name

    @property
    def tags(self) -> str | None:
        """Name of the property that holds tags."""
        tagging = self.document.get("tagging") or {}
        return tagging["tagProperty"].split("/")[-1] if tagging.get("taggable") else None

    @property
    def tags_are_a_map(self) -> bool:
        """Whether tags are {key: value} and not [{Key, Value}]."""
        name = self.tags
        return name is not None and self._follow(self.properties[name]).get("type") == "object"

    def has_attribute(self, name: str) -> bool:
        """Tell whether GetAtt may ask for `name`."""
        path = tuple(name.split("."))
        if path in self.paths("readOnlyProperties"):
            return True
        return self.document["typeName"] in READABLE and path[0] in self.properties

    def recreation(self, name: str, old: Any, new: Any) -> str:
        """Tell whether a change of property `name` replaces: Always, Conditionally or Never."""
        for kind, answer in (
            ("createOnlyProperties", "Always"),
            ("conditionalCreateOnlyProperties", "Conditionally"),
        ):
            for first, *rest in self.paths(kind):
                if first == name and _inside(old, rest) != _inside(new, rest):
                    return answer
        return "Never"

    def unordered(self, name: str) -> bool:
        """Tell whether the order of a list property means nothing."""
        return self.properties.get(name, {}).get("insertionOrder") is False

    def checked(self, properties: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """Return the properties in the schema's types, and AWS's words for everything wrong with them."""
        problems = [
            f"#: extraneous key [{name}] is not permitted" for name in properties if name in self.read_only
        ]
        value, found = self._check(properties, {**self.document, "type": "object"}, "#")
        return value, problems + found

    def strangers(self, properties: Mapping[str, Any]) -> list[str]:
        """Return AWS's words for the properties in a template's raw `properties` that do not exist."""
        return list(self._strangers(properties, self.document, "#"))

    def _follow(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in schema:
            node: Any = self.document
            for part in schema["$ref"].split("/")[1:]:
                node = node[part]
            schema = node
        return schema

    def _shape(self, schema: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
        """Return an object's known properties, those of alternatives too, and whether there are no others."""
        schema = self._follow(schema)
        known = dict(schema.get("properties") or {})
        for word in ("anyOf", "oneOf", "allOf"):
            for alternative in schema.get(word) or ():
                known |= self._shape(alternative)[0]
        return known, schema.get("additionalProperties") is False and not schema.get("patternProperties")

    def _strangers(self, node: Any, schema: Mapping[str, Any], place: str) -> Iterator[str]:
        schema = self._follow(schema)
        if isinstance(node, list):
            for number, item in enumerate(node):
                yield from self._strangers(item, schema.get("items") or {}, f"{place}/{number}")
        if not isinstance(node, dict):
            return
        ((only, argument),) = node.items() if len(node) == 1 else ((None, None),)
        if only == "Fn::If" and isinstance(argument, list):
            for branch in argument[1:]:
                yield from self._strangers(branch, schema, place)
            return
        known, closed = self._shape(schema)
        if (only and (only == "Ref" or only.startswith("Fn::"))) or not known:
            return
        for name, item in node.items():
            if name in known:
                yield from self._strangers(item, known[name], f"{place}/{name}")
            elif closed:
                yield f"{place}: extraneous key [{name}] is not permitted"

    def _check(self, value: Any, schema: Mapping[str, Any], place: str) -> tuple[Any, list[str]]:
        schema = self._follow(schema)
        if isinstance(value, Unknown):
            return value, []
        value, problem = _typed(value, schema)
        if problem:
            return value, [f"{place}: {problem}"]
        if isinstance(value, dict):
            return self._check_object(value, schema, place)
        if isinstance(value, list):
            pairs = [
                self._check(item, schema.get("items") or {}, f"{place}/{i}") for i, item in enumerate(value)
            ]
            problems = [problem for _, found in pairs for problem in found]
            return [item for item, _ in pairs], problems + list(
                _limits(value, schema, place, "Items", "items")
            )
        return value, list(_scalar(value, schema, place))

    def _check_object(
        self, value: dict[str, Any], schema: Mapping[str, Any], place: str
    ) -> tuple[Any, list[str]]:
        known, closed = self._shape(schema)
        problems = [
            f"{place}: required key [{name}] not found"
            for name in schema.get("required") or ()
            if name not in value
        ]
        result = {}
        for name, item in value.items():
            if name in known:
                result[name], found = self._check(item, known[name], f"{place}/{name}")
                problems += found
            elif closed:
                problems.append(f"{place}: extraneous key [{name}] is not permitted")
            else:
                result[name] = self._additional(name, item, schema)
        return result, problems

    def _additional(self, name: str, item: Any, schema: Mapping[str, Any]) -> Any:
        """Give the value of a free map (labels, parameters) its type."""
        for pattern, inner in (schema.get("patternProperties") or {}).items():
            if _matches(pattern, name):
                return self._check(item, inner, "")[0]
        return item


def _typed(value: Any, schema: Mapping[str, Any]) -> tuple[Any, str | None]:
    """Return the value in a type that the schema permits, or what is wrong."""
    wanted = schema.get("type")
    if wanted is None:
        return value, None
    names = [wanted] if isinstance(wanted, str) else list(wanted)
    if "object" in names and isinstance(value, str):
        # A policy may be written as JSON text; AWS stores and compares the object.
        try:
            value = json.loads(value)
        except json.JSONDecodeError:
            if "string" not in names:
                return value, f"expected type: JSONObject, found: String ({value[:40]!r} is no JSON)"
    for name in names:
        fits, converted = _CONVERSIONS[name](value)
        if fits:
            return converted, None
    return value, f"expected type: {_NAMES[names[0]]}, found: {_kind(value)}"


def _number(value: Any) -> tuple[bool, Any]:
    if isinstance(value, str) and re.fullmatch(r"-?\d+(\.\d+)?", value):
        return True, float(value) if "." in value else int(value)
    return isinstance(value, int | float) and not isinstance(value, bool), value


def _integer(value: Any) -> tuple[bool, Any]:
    fits, number = _number(value)
    return fits and int(number) == number, int(number) if fits else value


_CONVERSIONS: dict[str, Any] = {
    "object": lambda value: (isinstance(value, dict), value),
    "array": lambda value: (isinstance(value, list), value),
    "string": lambda value: (isinstance(value, str | int | float | bool), text(value)),
    "boolean": lambda value: (value in (True, False, "true", "false"), value in (True, "true")),
    "number": _number,
    "integer": _integer,
}
_NAMES = {"object": "JSONObject", "array": "JSONArray", "string": "String", "boolean": "Boolean", "number": "Number", "integer": "Integer"}  # fmt: skip


def _kind(value: Any) -> str:
    kinds: dict[type, str] = {
        dict: "JSONObject",
        list: "JSONArray",
        bool: "Boolean",
        int: "Integer",
        float: "Number",
    }
    return kinds.get(type(value), "String")


def _scalar(value: Any, schema: Mapping[str, Any], place: str) -> Iterator[str]:
    if isinstance(value, str) and "{{resolve:" in value:
        return  # its text is known only when the resource is made
    options = schema.get("enum")
    if options and value not in options:
        yield f"{place}: {value} is not a valid enum value"
    if isinstance(value, str):
        yield from _limits(value, schema, place, "Length", "length")
        pattern = schema.get("pattern")
        if pattern and not _matches(pattern, value):
            yield f"{place}: failed validation constraint for keyword [pattern]"
    elif not isinstance(value, bool):
        if value < schema.get("minimum", value):
            yield f"{place}: {value} is not greater or equal to {schema['minimum']}"
        if value > schema.get("maximum", value):
            yield f"{place}: {value} is not less or equal to {schema['maximum']}"


def _limits(value: Any, schema: Mapping[str, Any], place: str, suffix: str, word: str) -> Iterator[str]:
    low, high = schema.get(f"min{suffix}"), schema.get(f"max{suffix}")
    if low is not None and len(value) < low:
        yield f"{place}: expected minimum {word}: {low}, actual: {len(value)}"
    if high is not None and len(value) > high:
        yield f"{place}: expected maximum {word}: {high}, actual: {len(value)}"


def _matches(pattern: str, value: str) -> bool:
    try:
        return re.search(pattern, value) is not None
    except re.error:  # a pattern in another dialect than Python's proves nothing
        return True


def _inside(value: Any, path: list[str]) -> Any:
    for part in path:
        if not isinstance(value, dict):
            return None
        value = value.get(part)
    return value


@functools.cache
def _folder() -> Path:
    # Without importing cfn-lint, which takes a second and is not needed.
    spec = importlib.util.find_spec("cfnlint")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]) / "data" / "schemas"


@functools.cache
def _index(region: str) -> dict[str, str]:
    path = _folder() / "providers" / f"{region}.json"
    index: dict[str, str] = json.loads(
        (path if path.is_file() else path.with_name(f"{FALLBACK}.json")).read_text()
    )
    return index


def exists(kind: str, region: str) -> bool:
    """Tell whether AWS has the resource type in `region`."""
    return kind in _index(region)


@functools.cache
def load(kind: str, region: str) -> Schema:
    """Return the schema of a type that exists."""
    return Schema(json.loads((_folder() / "resources" / f"{_index(region)[kind]}.json").read_text()))
