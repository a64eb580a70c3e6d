"""Namespaces without Pod Security."""

from policies.model.system import System
from policies.rule import Found

ID = "SAFE08"
TITLE = "A namespace does not enforce Pod Security `restricted`"
WHY = "What the rules on pods promise holds only for manifests in git; the label makes the API server hold it for all."
FIX = "Label the Namespace pod-security.kubernetes.io/enforce: restricted, with enforce-version."
_TREE = """\
apiVersion: v1
kind: Namespace
metadata: {name: main, labels: {pod-security.kubernetes.io/enforce: restricted}}
"""
GOOD = {"rendered/local/gitops/main/overlays/local": _TREE}
BAD = {"rendered/local/gitops/main/overlays/local": _TREE.replace("restricted", "baseline")}

_LABEL = "pod-security.kubernetes.io/enforce"


def check(system: System) -> Found:
    """Report Namespaces with a weaker level or none."""
    for _, found in system.each():
        if found.kind == "Namespace" and found.get("metadata", "labels", _LABEL) != "restricted":
            yield (
                found.at("metadata", "labels", _LABEL),
                f"namespace {found.name} does not enforce `restricted`",
            )
