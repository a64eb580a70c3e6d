"""A change set's changes: what a template would do to a stack, without doing it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from . import functions, schemas
from .fault import Failure, invalid
from .functions import Resolver, Unknown
from .resources import ADAPTERS
from .state import Made, Stack
from .template import Resource, Template
from .world import World, active, desired, differences


@dataclass(slots=True)
class Plan:
    """Compares a stack with what it should become."""

    world: World
    stack: Stack
    template: Template
    parameters: Mapping[str, str]
    tags: Mapping[str, str]
    replaced: set[str] = field(default_factory=set)
    modified: set[str] = field(default_factory=set)

    def changes(self) -> list[dict[str, Any]]:
        """Return the changes in DescribeChangeSet's shape, in the order in which they would be made."""
        resolver = self.world.resolver(self.stack, self.template, self.parameters, self._lookup)
        wanted = active(self.template, resolver)
        self._check_types(wanted)
        found = []
        for resource in wanted:
            made = self.stack.resources.get(resource.logical)
            whole = made is not None and made.whole
            change = self._modify(resource, made, resolver) if made and whole else _add(resource)
            if change:
                found.append(change)
        kept = {resource.logical for resource in wanted}
        gone = [made for name, made in self.stack.resources.items() if name not in kept]
        return [
            {"Type": "Resource", "ResourceChange": change}
            for change in found + [_remove(made) for made in gone]
        ]

    def nothing(self, changes: list[dict[str, Any]]) -> bool:
        """Tell whether the stack would stay as it is, its outputs and tags too."""
        old = self.stack.template
        if changes or old is None or dict(self.tags) != self.stack.tags:
            return False
        resolver = self.world.resolver(self.stack, self.template, self.parameters, self._lookup)
        outputs = []
        for output in self.template.outputs.values():
            if output.condition is None or resolver.holds(output.condition):
                text = {"Description": output.description} if output.description else {}
                outputs.append(
                    {"OutputKey": output.name, "OutputValue": functions.text(resolver.value(output.value))}
                    | text
                )
        return outputs == self.stack.outputs

    def _check_types(self, wanted: list[Resource]) -> None:
        odd = [
            item.logical
            for item in wanted
            if item.logical in self.stack.resources and self.stack.resources[item.logical].type != item.type
        ]
        if odd:
            raise invalid(
                "Update of resource type is not permitted. The new template modifies resource type of the "
                f"following resources: [{', '.join(odd)}]"
            )

    def _lookup(self, name: str, attribute: str | None) -> Any:
        made = self.stack.resources.get(name)
        if made is None or not made.whole or name in self.replaced:
            return Unknown(name, attribute)
        if attribute is None:
            return made.physical
        if name in self.modified and attribute in ADAPTERS[made.type].volatile:
            return Unknown(name, attribute)
        try:
            return self.world.attribute(self.stack, made, attribute)
        except Failure:  # gone or changed by hand: the deployment will see
            return Unknown(name, attribute)

    def _modify(self, resource: Resource, made: Made, resolver: Resolver) -> dict[str, Any] | None:
        new, _ = desired(resource, resolver, self.stack, self.tags)
        tags = schemas.load(resource.type, self.stack.region).tags
        details, scope = [], set()
        for name, recreation in differences(
            ADAPTERS[resource.type], self.stack.region, made.properties, new
        ).items():
            scope.add("Tags" if name == tags else "Properties")
            details.append(
                self._detail(
                    resource, name, name == tags, recreation, made.properties.get(name), new.get(name)
                )
            )
        for attribute, changed in (
            ("DeletionPolicy", made.deletion_policy != resource.deletion_policy),
            ("UpdateReplacePolicy", made.replace_policy != resource.replace_policy),
            ("Metadata", made.metadata != resource.metadata),
        ):
            if changed:
                scope.add(attribute)
                details.append(_plain_detail(attribute))
        if not details:
            return None
        replacement = _replacement(details)
        (self.modified if replacement == "False" else self.replaced).add(resource.logical)
        change = {
            "Action": "Modify",
            "LogicalResourceId": resource.logical,
            "PhysicalResourceId": made.physical,
            "ResourceType": resource.type,
            "Replacement": replacement,
            "Scope": sorted(scope),
            "Details": details,
            "BeforeContext": json.dumps({"Properties": made.properties}, default=str),
            "AfterContext": json.dumps({"Properties": new}, default=str),
        }
        if replacement != "False":
            change["PolicyAction"] = f"ReplaceAnd{_kept(resource.replace_policy)}"
        return change

    def _detail(
        self, resource: Resource, name: str, tags: bool, recreation: str, old: Any, new: Any
    ) -> dict[str, Any]:
        target = {
            "Attribute": "Tags" if tags else "Properties",
            "RequiresRecreation": recreation,
            "Path": f"/Properties/{name}",
        }
        if not tags:
            target["Name"] = name
        target |= {
            "BeforeValue": _shown(old),
            "AfterValue": _shown(new),
            "AttributeChangeType": _way(old, new),
        }
        source, entity = self._cause(resource.properties.get(name), new)
        detail = {
            "Target": target,
            "Evaluation": "Dynamic" if _unknown(new) else "Static",
            "ChangeSource": source,
        }
        return detail | ({"CausingEntity": entity} if entity else {})

    def _cause(self, node: Any, new: Any) -> tuple[str, str | None]:
        unknown = _unknown(new)
        if unknown:
            if unknown.attribute:
                return "ResourceAttribute", f"{unknown.logical}.{unknown.attribute}"
            return "ResourceReference", unknown.logical
        for name, attribute in functions.references(node):
            if (
                attribute is None
                and name in self.parameters
                and self.parameters[name] != self.stack.parameters.get(name)
            ):
                return "ParameterReference", name
        return "DirectModification", None


def _add(resource: Resource) -> dict[str, Any]:
    return {
        "Action": "Add",
        "LogicalResourceId": resource.logical,
        "ResourceType": resource.type,
        "Scope": [],
        "Details": [],
    }


def _remove(made: Made) -> dict[str, Any]:
    return {
        "Action": "Remove",
        "LogicalResourceId": made.logical,
        "PhysicalResourceId": made.physical,
        "ResourceType": made.type,
        "PolicyAction": _kept(made.deletion_policy),
        "Scope": [],
        "Details": [],
    }


def _plain_detail(attribute: str) -> dict[str, Any]:
    target = {"Attribute": attribute, "RequiresRecreation": "Never"}
    return {"Target": target, "Evaluation": "Static", "ChangeSource": "DirectModification"}


def _replacement(details: list[dict[str, Any]]) -> str:
    """Weigh the details as AWS's documentation of ResourceChange says."""
    weights = {(detail["Target"]["RequiresRecreation"], detail["Evaluation"]) for detail in details}
    if ("Always", "Static") in weights:
        return "True"
    return "Conditional" if any(recreation != "Never" for recreation, _ in weights) else "False"


def _kept(policy: str) -> str:
    return "Retain" if policy.startswith("Retain") else policy


def _way(old: Any, new: Any) -> str:
    return "Add" if old is None else "Remove" if new is None else "Modify"


def _shown(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value, default=str)


def _unknown(value: Any) -> Unknown | None:
    if isinstance(value, Unknown):
        return value
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return next((found for child in children if (found := _unknown(child))), None)
