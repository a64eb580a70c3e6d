"""Custom resources that come before their definition."""

from policies.model.objects import Object
from policies.model.system import Environment, System
from policies.rule import Found

ID = "ORDER03"
TITLE = "A custom resource is not applied after its CustomResourceDefinition"
WHY = "The API server does not know the kind: the sync fails, and with it everything of the same wave."
FIX = "Put the definition into an earlier wave, or into the same wave of the same Application."
_TREE = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.org}
spec: {group: example.org, names: {kind: Thing}}
---
apiVersion: example.org/v1
kind: Thing
metadata:
  name: a
  namespace: main
  annotations:
    argocd.argoproj.io/sync-wave: "0"
"""
GOOD = {"rendered/local/gitops/a": _TREE}
BAD = {"rendered/local/gitops/a": _TREE.replace('sync-wave: "0"', 'sync-wave: "-1"')}

_BUILT_IN = ("", "apps", "batch", "policy", "autoscaling")


def check(system: System) -> Found:
    """Compare the waves of resource and definition, within and between Applications."""
    for environment in system.environments:
        definitions = {
            (each.get("spec", "group"), each.get("spec", "names", "kind")): each
            for each in environment.kind("CustomResourceDefinition")
        }
        for found in environment.objects:
            if found.group in _BUILT_IN or (found.group.endswith(".k8s.io") and found.group not in _CUSTOM):
                continue
            definition = definitions.get((found.group, found.kind))
            if definition is None:
                yield found.at("kind"), f"nothing in git defines {found.kind} of {found.group}"
            elif fault := _early(environment, found, definition):
                yield found.at("metadata", "annotations", "argocd.argoproj.io/sync-wave"), fault


_CUSTOM = frozenset({"gateway.networking.k8s.io", "externaldns.k8s.io", "elbv2.k8s.aws"})


def _early(environment: Environment, found: Object, definition: Object) -> str:
    if found.path == environment.bootstrap and definition.path == found.path:
        return ""  # bootstrap applies definitions first and waits for them
    if found.path == definition.path:
        # In one sync Argo CD leaves out the dry run of what a definition in it explains, and within a wave it applies
        # definitions first and waits until they are established (gitops-engine, hasCRDOfGroupKind, ensureCRDReady).
        if found.wave < definition.wave:
            return f"{found.label} is in wave {found.wave}, its definition in {definition.wave}"
        return ""
    if definition.path == environment.bootstrap:
        return ""
    mine, its = environment.application_wave(found.path), environment.application_wave(definition.path)
    if its is not None and (mine is None or mine <= its):
        return f"{found.label} is applied in wave {mine}, its definition in {its}"
    return ""
