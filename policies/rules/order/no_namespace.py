"""Objects for a namespace that nobody makes."""

from policies.model.system import System
from policies.rule import Found

ID = "ORDER15"
TITLE = "An object's namespace is made by no Application, or made later"
WHY = "The first sync of a new cluster fails there; on an old one nobody notices until it is rebuilt."
FIX = "Render the Namespace in an Application of an earlier wave, or set CreateNamespace=true."
_TREE = """\
apiVersion: v1
kind: Namespace
metadata: {name: main}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: a, namespace: main}
"""
GOOD = {"rendered/local/gitops/main": _TREE}
BAD = {"rendered/local/gitops/main": _TREE.replace("namespace: main", "namespace: mian")}

_ALWAYS = ("", "default", "kube-system", "kube-public")


def check(system: System) -> Found:
    """Compare with the namespaces that are rendered; one with Prune=false is bootstrap's, and there before."""
    for environment in system.environments:
        makers = {found.name: found for found in environment.kind("Namespace")}
        created = {
            each.namespace for each in environment.applications if "CreateNamespace=true" in each.options
        }
        for found in environment.objects:
            if found.namespace in _ALWAYS or found.namespace in created:
                continue
            maker = makers.get(found.namespace)
            if maker is None:
                yield (
                    found.at("metadata", "namespace"),
                    f"{found.label} is for namespace {found.namespace}, which nothing makes",
                )
                continue
            mine, its = environment.application_wave(found.path), environment.application_wave(maker.path)
            there = "Prune=false" in str(maker.annotations.get("argocd.argoproj.io/sync-options", ""))
            if not there and mine is not None and its is not None and mine < its:
                yield (
                    found.at("metadata", "namespace"),
                    f"{found.label} comes before its namespace {found.namespace}",
                )
