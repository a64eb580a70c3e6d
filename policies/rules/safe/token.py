"""Pods that carry a token of the API server for nothing."""

from policies.model.system import Environment, System
from policies.rule import Found

ID = "SAFE07"
TITLE = "A pod carries an API token that no RoleBinding gives a use, or lacks one that it needs"
WHY = "A token without use is a door for whoever gets into the pod; a missing one makes the program fail at run time."
FIX = "Set automountServiceAccountToken on the pod to what its ServiceAccount's bindings say."
_TREE = """\
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: main}
spec: {serviceAccountName: a, automountServiceAccountToken: false, containers: []}
"""
GOOD = {"rendered/local/gitops/main/overlays/local": _TREE}
BAD = {"rendered/local/gitops/main/overlays/local": _TREE.replace("false", "true")}


def check(system: System) -> Found:
    """Compare each pod of our own with the bindings of its ServiceAccount."""
    for environment in system.environments:
        bound = _bound(environment)
        for pod in environment.pods:
            if not pod.owner.ours:
                continue
            mounted = pod.spec.get("automountServiceAccountToken")
            if mounted is None:
                account = environment.find("ServiceAccount", pod.owner.namespace, pod.account)
                mounted = account.get("automountServiceAccountToken") if account else None
            useful = (pod.owner.namespace, pod.account) in bound
            place = pod.at("automountServiceAccountToken")
            if mounted is not False and not useful:
                yield place, f"{pod.owner.label} has a token, but nothing is bound to {pod.account}"
            if mounted is False and useful:
                yield place, f"{pod.owner.label} has no token, but {pod.account} is bound to a role"


def _bound(environment: Environment) -> set[tuple[str, str]]:
    return {
        (str(subject.get("namespace") or binding.namespace), str(subject.get("name")))
        for kind in ("RoleBinding", "ClusterRoleBinding")
        for binding in environment.kind(kind)
        for subject in binding.get("subjects") or []
    }
