"""Roles of the cluster that allow everything."""

from policies.model.shape import sequence
from policies.model.system import System
from policies.rule import Found

ID = "SAFE09"
TITLE = "A Role of ours allows every verb, resource or API group"
WHY = "The ServiceAccount then reads every Secret it can reach, and what it needs cannot be seen any more."
FIX = "List the verbs and resources that the program calls; name resources by resourceNames where it knows them."
_TREE = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: a, namespace: main}
rules:
- {apiGroups: [""], resources: [configmaps], resourceNames: [a], verbs: [get]}
"""
GOOD = {"rendered/local/gitops/main/overlays/local": _TREE}
BAD = {"rendered/local/gitops/main/overlays/local": _TREE.replace("[get]", "['*']")}


def check(system: System) -> Found:
    """Report wildcards, and bindings of our own to cluster-admin."""
    for _, found in system.each():
        if found.kind in ("Role", "ClusterRole") and found.ours:
            for number, rule in enumerate(sequence(found.get("rules"))):
                for field in ("apiGroups", "resources", "verbs"):
                    if isinstance(rule, dict) and "*" in sequence(rule.get(field)):
                        yield found.at("rules", number, field), f"{found.label} allows all {field}"
        if (
            found.kind in ("RoleBinding", "ClusterRoleBinding")
            and found.get("roleRef", "name") == "cluster-admin"
        ):
            yield found.at("roleRef", "name"), f"{found.label} gives cluster-admin away"
