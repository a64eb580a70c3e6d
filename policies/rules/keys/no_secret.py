"""Pods that name what nobody makes."""

from policies.model.bootstrapped import names
from policies.model.needs import needs
from policies.model.system import System
from policies.rule import Found

ID = "KEYS01"
TITLE = "A pod names a Secret, ConfigMap or ServiceAccount that nothing makes"
WHY = "The pod stays in CreateContainerConfigError, and the release waits for it until its deadline."
FIX = "Correct the name, or add the ExternalSecret, ConfigMap or ServiceAccount to an Application."
_TREE = """\
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: main}
spec: {volumes: [{name: s, secret: {secretName: database-secrets}}], containers: []}
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: db, namespace: main}
spec: {target: {name: database-secrets}}
"""
GOOD = {"rendered/local/gitops/main": _TREE}
BAD = {
    "rendered/local/gitops/main": _TREE.replace(
        "target: {name: database-secrets}", "target: {name: database}"
    )
}


def check(system: System) -> Found:
    """Follow the names of our own pods."""
    made_by_bootstrap = names(system.sources)
    for environment, pod in system.pods():
        if not pod.owner.ours:
            continue
        for need in needs(pod):
            if need.optional or need.name in made_by_bootstrap:
                continue
            if not need.makers(environment):
                yield need.position, f"nothing makes {need.kind} {need.name} in namespace {need.namespace}"
