"""A template, read and checked: everything that can be refused before a resource is touched."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from . import functions, parameters, schemas, source
from .fault import invalid
from .parameters import Parameter
from .resources import ADAPTERS

PSEUDO = frozenset(
    f"AWS::{name}"
    for name in "AccountId NoValue NotificationARNs Partition Region StackId StackName URLSuffix".split()
)
SECTIONS = frozenset(
    "AWSTemplateFormatVersion Description Metadata Parameters Mappings Conditions Resources Outputs".split()
)
RESOURCE_FIELDS = frozenset(
    "Type Properties DependsOn Condition DeletionPolicy UpdateReplacePolicy Metadata".split()
)
POLICIES = frozenset({"Delete", "Retain", "Snapshot", "RetainExceptOnCreate"})
SNAPSHOTS = frozenset({"AWS::RDS::DBInstance"})
"""Types that can be deleted with a last snapshot, and are so by default."""

LARGEST = 51_200
"""Bytes of a TemplateBody."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One entry of Resources; `properties` still hold functions."""

    logical: str
    type: str
    properties: Mapping[str, Any]
    depends_on: tuple[str, ...]
    condition: str | None
    deletion_policy: str
    replace_policy: str
    metadata: Any


@dataclass(frozen=True, slots=True)
class Output:
    """One entry of Outputs."""

    name: str
    value: Any
    description: str
    condition: str | None


@dataclass(frozen=True, slots=True)
class Template:
    """A template without errors that can be seen in it; `order` has every resource after what it needs."""

    body: str
    description: str
    metadata: Any
    parameters: Mapping[str, Parameter]
    mappings: Mapping[str, Any]
    conditions: Mapping[str, Any]
    resources: Mapping[str, Resource]
    outputs: Mapping[str, Output]
    order: tuple[str, ...]

    def needs(self, logical: str) -> set[str]:
        """Return the resources that must exist before `logical`."""
        return _needs(self.resources[logical], self.resources)

    @property
    def capabilities(self) -> tuple[str, str] | None:
        """Return (capability that must be acknowledged, resources that want it)."""
        iam = [item for item in self.resources.values() if item.type in _NAMED_IAM]
        named = any(_NAMED_IAM[item.type] in item.properties for item in iam)
        wanted = "CAPABILITY_NAMED_IAM" if named else "CAPABILITY_IAM"
        return (wanted, ", ".join(sorted({item.type for item in iam}))) if iam else None


_NAMED_IAM = {
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::Policy": "-",  # its name is no name of its own: it lives inside the role
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::InstanceProfile": "InstanceProfileName",
}


def read(body: str, region: str) -> Template:
    """Parse and check; raise Fault with AWS's words."""
    if len(body.encode()) > LARGEST:
        raise invalid(
            f"1 validation error detected: Value at 'templateBody' failed to satisfy constraint: "
            f"Member must have length less than or equal to {LARGEST}"
        )
    data = source.parse(body)
    unknown = sorted(data.keys() - SECTIONS)
    if unknown:
        raise invalid(f"Invalid template property or properties [{', '.join(unknown)}]")
    if data.get("AWSTemplateFormatVersion", "2010-09-09") != "2010-09-09":
        raise invalid("Template format error: unsupported value for AWSTemplateFormatVersion.")
    if not data.get("Resources"):
        raise invalid("Template format error: At least one Resources member must be defined.")
    resources = {name: _resource(name, fields) for name, fields in _section(data, "Resources").items()}
    declared = {
        name: parameters.declare(name, fields) for name, fields in _section(data, "Parameters").items()
    }
    template = Template(
        body=body,
        description=str(data.get("Description", "")),
        metadata=data.get("Metadata"),
        parameters=declared,
        mappings=_section(data, "Mappings"),
        conditions=_section(data, "Conditions"),
        resources=resources,
        outputs={name: _output(name, fields) for name, fields in _section(data, "Outputs").items()},
        order=(),
    )
    _check_types(template, region)
    _check_references(template, region)
    _check_functions(data)
    return replace(template, order=tuple(_ordered(resources)))


def _section(data: Mapping[str, Any], name: str) -> dict[str, Any]:
    section = data.get(name) or {}
    if not isinstance(section, dict):
        raise invalid(f"Template format error: {name} must be an object.")
    for key in section:
        if not re.fullmatch(r"[A-Za-z0-9]{1,255}", key) and name in ("Resources", "Outputs", "Parameters"):
            raise invalid(f"Template format error: {name} name {key} is non alphanumeric.")
    return section


def _resource(name: str, fields: Any) -> Resource:
    if not isinstance(fields, dict) or not isinstance(fields.get("Type"), str):
        raise invalid("Template format error: Every Resources object must contain a Type member.")
    unknown = sorted(fields.keys() - RESOURCE_FIELDS)
    if unknown:
        raise invalid(f"Invalid template resource property '{unknown[0]}'")
    kind = fields["Type"]
    default = "Snapshot" if kind in SNAPSHOTS else "Delete"
    policies = [fields.get(key, default) for key in ("DeletionPolicy", "UpdateReplacePolicy")]
    for policy in policies:
        if policy not in POLICIES or (policy == "Snapshot" and kind not in SNAPSHOTS):
            raise invalid(f"Template error: resource type {kind} does not support deletion policy {policy}")
    depends = fields.get("DependsOn") or []
    properties = fields.get("Properties") or {}
    if not isinstance(properties, dict):
        raise invalid(f"Template format error: [/Resources/{name}/Properties] must be an object.")
    return Resource(
        logical=name,
        type=kind,
        properties=properties,
        depends_on=tuple([depends] if isinstance(depends, str) else depends),
        condition=fields.get("Condition"),
        deletion_policy=policies[0],
        replace_policy=policies[1],
        metadata=fields.get("Metadata"),
    )


def _output(name: str, fields: Any) -> Output:
    if not isinstance(fields, dict) or "Value" not in fields:
        raise invalid(
            f"Template format error: Output {name} is malformed. The Value field of every Outputs member must be specified"
        )
    unknown = sorted(fields.keys() - {"Value", "Description", "Condition"})
    if unknown:
        note = " (the stand-in has no exports)" if unknown[0] == "Export" else ""
        raise invalid(f"Invalid template output property '{unknown[0]}'{note}")
    return Output(name, fields["Value"], str(fields.get("Description", "")), fields.get("Condition"))


def _check_types(template: Template, region: str) -> None:
    kinds = sorted({resource.type for resource in template.resources.values()} - ADAPTERS.keys())
    if kinds:
        known = [kind for kind in kinds if schemas.exists(kind, region)]
        note = f" (Slipway's stand-in has no adapter for: {', '.join(known)})" if known else ""
        raise invalid(f"Template format error: Unrecognized resource types: [{', '.join(kinds)}]{note}")
    for resource in template.resources.values():
        schema = schemas.load(resource.type, region)
        problems = schema.strangers(resource.properties)
        problems += [
            f"#: extraneous key [{name}] is not permitted"
            for name in resource.properties
            if name in schema.read_only
        ]
        problems += [
            f"#: property [{name}] is not supported by Slipway's stand-in"
            for name in resource.properties
            if name in schema.properties and name not in schema.read_only and name not in ADAPTERS[resource.type].properties
        ]  # fmt: skip
        if problems:
            raise invalid(
                f"Properties validation failed for resource {resource.logical} with message:\n"
                + "\n".join(problems)
            )


def _places(template: Template) -> Iterator[tuple[str, Any, str | None]]:
    """Yield (where, node, condition under which it is used) of all that may hold functions."""
    for resource in template.resources.values():
        yield "the Resources block", resource.properties, resource.condition
    for output in template.outputs.values():
        yield "the Outputs block", output.value, output.condition
    yield "the Conditions block", dict(template.conditions), None


def _check_references(template: Template, region: str) -> None:
    for where, node, condition in _places(template):
        for name in [*functions.conditions(node), *([condition] if condition else [])]:
            if name not in template.conditions:
                raise invalid(
                    f"Template format error: Unresolved condition dependency {name} in {where} of the template"
                )
        for name, attribute in functions.references(node):
            _check_reference(template, region, where, name, attribute)
    for resource in template.resources.values():
        for name in resource.depends_on:
            if name not in template.resources:
                raise invalid(
                    f"Template format error: Unresolved resource dependencies [{name}] in the Resources block of the template"
                )


def _check_reference(template: Template, region: str, where: str, name: str, attribute: str | None) -> None:
    if attribute is None:
        known = name in template.parameters or name in PSEUDO
        if not known and (name not in template.resources or "Conditions" in where):
            raise invalid(
                f"Template format error: Unresolved resource dependencies [{name}] in {where} of the template"
            )
        return
    if name not in template.resources or "Conditions" in where:
        raise invalid(f"Template error: instance of Fn::GetAtt references undefined resource {name}")
    if not schemas.load(template.resources[name].type, region).has_attribute(attribute):
        raise invalid(
            f"Template error: resource {name} does not support attribute type {attribute} in Fn::GetAtt"
        )


def _check_functions(node: Any) -> None:
    """Refuse a function that exists in AWS but not here, wherever it stands."""
    if isinstance(node, dict):
        for name, value in node.items():
            if (
                name.startswith("Fn::")
                and name not in functions.FUNCTIONS
                and name not in functions.CONDITIONAL
            ):
                raise invalid(f"Template error: {name} is not supported by Slipway's stand-in")
            _check_functions(value)
    elif isinstance(node, list):
        for value in node:
            _check_functions(value)


def _needs(resource: Resource, resources: Mapping[str, Resource]) -> set[str]:
    named = {name for name, _ in functions.references(resource.properties)}
    return (named | set(resource.depends_on)) & resources.keys()


def _ordered(resources: Mapping[str, Resource]) -> Iterator[str]:
    """Yield the resources so that each comes after what it needs, otherwise in the template's order."""
    waiting = {name: _needs(resource, resources) for name, resource in resources.items()}
    while waiting:
        ready = [name for name, needs in waiting.items() if not needs & waiting.keys()]
        if not ready:
            raise invalid(f"Circular dependency between resources: [{', '.join(waiting)}]")
        yield from ready
        for name in ready:
            del waiting[name]
