"""What a ServiceAccount may do in the cluster, by its bindings."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from policies.model.objects import Object
from policies.model.shape import mapping, sequence
from policies.model.system import Environment


@dataclass(frozen=True, slots=True)
class Right:
    """One thing that a program does: verb, API group, resource, and the name where it is one object."""

    verb: str
    group: str
    resource: str
    namespace: str
    name: str = ""

    def __str__(self) -> str:
        what = f"{self.resource}.{self.group}" if self.group else self.resource
        return f"{self.verb} {what}" + (f" {self.name}" if self.name else "") + f" in {self.namespace}"


def allowed(environment: Environment, namespace: str, account: str, right: Right) -> bool:
    """Whether the account may do it."""
    return any(_covers(rule, right) for rule in rules_of(environment, namespace, account, right.namespace))


def rules_of(
    environment: Environment, namespace: str, account: str, where: str
) -> Iterator[Mapping[str, Any]]:
    """The rules that hold for an account in the namespace `where`."""
    for kind in ("RoleBinding", "ClusterRoleBinding"):
        for binding in environment.kind(kind):
            if kind == "RoleBinding" and binding.namespace != where:
                continue
            if any(
                _is(mapping(subject), binding, namespace, account)
                for subject in sequence(binding.get("subjects"))
            ):
                role_kind = str(binding.get("roleRef", "kind"))
                own = binding.namespace if role_kind == "Role" else ""
                role = environment.find(role_kind, own, str(binding.get("roleRef", "name")))
                for rule in sequence(role.get("rules")) if role else ():
                    yield mapping(rule)


def _is(subject: Mapping[str, Any], binding: Object, namespace: str, account: str) -> bool:
    return subject.get("name") == account and (subject.get("namespace") or binding.namespace) == namespace


def _covers(rule: Mapping[str, Any], right: Right) -> bool:
    pairs = ((right.verb, "verbs"), (right.group, "apiGroups"), (right.resource, "resources"))
    if not all(
        value in sequence(rule.get(field)) or "*" in sequence(rule.get(field)) for value, field in pairs
    ):
        return False
    names = sequence(rule.get("resourceNames"))
    return not names or right.name in names
