"""Keys that a pod reads and its Secret does not have."""

from policies.model.needs import Need, needs
from policies.model.objects import Object
from policies.model.secrets import keys_of
from policies.model.system import Environment, System
from policies.rule import Found

ID = "KEYS02"
TITLE = "A pod reads a key that its Secret or ConfigMap does not have"
WHY = "The container does not start, or starts without the value and fails at the first request."
FIX = "Give the key one name in infra, in the ExternalSecret and where the pod reads it."
_TREE = """\
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: main}
spec:
  containers:
  - {name: a, env: [{name: P, valueFrom: {secretKeyRef: {name: db, key: password}}}]}
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: db, namespace: main}
spec: {data: [{secretKey: password, remoteRef: {key: a}}]}
"""
GOOD = {"rendered/local/gitops/main": _TREE}
BAD = {"rendered/local/gitops/main": _TREE.replace("secretKey: password", "secretKey: passwort")}


def check(system: System) -> Found:
    """Compare references with keys, where the maker says which keys there will be."""
    for environment, pod in system.pods():
        for need in needs(pod):
            keys = _keys(environment, need)
            for key in need.keys:
                if keys is not None and key not in keys and not need.optional:
                    yield (
                        need.position,
                        f"{need.kind} {need.name} has no key {key}, only {', '.join(sorted(keys))}",
                    )


def _keys(environment: Environment, need: Need) -> set[str] | None:
    makers: list[Object] = need.makers(environment)
    known = [keys_of(environment, maker) for maker in makers]
    found = [keys for keys in known if keys is not None]
    return set().union(*found) if found and len(found) == len(known) else None
