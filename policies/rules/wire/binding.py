"""Bindings that bind nothing."""

from policies.model.objects import Object
from policies.model.shape import mapping, sequence
from policies.model.system import Environment, System
from policies.rule import Found

ID = "WIRE13"
TITLE = "A RoleBinding names a role or a ServiceAccount that does not exist"
WHY = "The API server takes it without a word, and the program is refused at its first request."
FIX = "Correct roleRef.name or the subject's name and namespace."
_TREE = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: a, namespace: main}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: a}
subjects: [{kind: ServiceAccount, name: a, namespace: main}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: a, namespace: main}
rules: []
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: a, namespace: main}
"""
GOOD = {"rendered/local/gitops/main": _TREE}
BAD = {"rendered/local/gitops/main": _TREE.replace("kind: Role, name: a", "kind: Role, name: b")}

_BUILT_IN = ("cluster-admin", "admin", "edit", "view")


def check(system: System) -> Found:
    """Follow roleRef and subjects; a chart that is not rendered may hold an account of its own."""
    for environment in system.environments:
        for kind in ("RoleBinding", "ClusterRoleBinding"):
            for binding in environment.kind(kind):
                yield from _role(environment, binding)
                yield from _subjects(environment, binding)


def _role(environment: Environment, binding: Object) -> Found:
    kind, name = str(binding.get("roleRef", "kind")), str(binding.get("roleRef", "name"))
    namespace = binding.namespace if kind == "Role" else ""
    known = name in _BUILT_IN or name.startswith("system:")
    if not known and environment.find(kind, namespace, name) is None:
        yield binding.at("roleRef", "name"), f"{binding.label} names {kind} {name}, which nothing makes"


def _subjects(environment: Environment, binding: Object) -> Found:
    for number, subject in enumerate(map(mapping, sequence(binding.get("subjects")))):
        if subject.get("kind") != "ServiceAccount":
            continue
        namespace, name = str(subject.get("namespace") or binding.namespace), str(subject.get("name"))
        rendered = environment.kind_in("ServiceAccount", namespace)
        if rendered and name != "default" and environment.find("ServiceAccount", namespace, name) is None:
            yield (
                binding.at("subjects", number, "name"),
                f"{binding.label} names {namespace}/{name}, which nothing makes",
            )
