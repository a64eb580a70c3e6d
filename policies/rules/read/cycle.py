"""Kustomizations that include themselves."""

from policies.model.system import System
from policies.rule import Found

ID = "READ07"
TITLE = "A kustomization leads back to itself"
WHY = "It does not render, so Argo CD keeps the last state and every later change is stuck behind it."
FIX = "Take the reference out of one of the two, usually the base."
GOOD = {
    "gitops/base/kustomization.yaml": "resources: []\n",
    "gitops/overlay/kustomization.yaml": "resources: [../base]\n",
}
BAD = {
    "gitops/base/kustomization.yaml": "resources: [../overlay]\n",
    "gitops/overlay/kustomization.yaml": "resources: [../base]\n",
}


def check(system: System) -> Found:
    """Report the reference that closes a circle."""
    for reference in system.graph.cycles():
        yield reference.position, f"{reference.text} includes this kustomization again"
