"""Files that a kustomization names and that are not there."""

from policies.model.system import System
from policies.rule import Found

ID = "READ08"
TITLE = "A kustomization names a file or folder that does not exist"
WHY = "The overlay does not render, so nothing of its Application is applied any more."
FIX = "Correct the path, or add the file."
GOOD = {"gitops/a/kustomization.yaml": "resources: [b.yaml]\n", "gitops/a/b.yaml": "kind: B\n"}
BAD = {"gitops/a/kustomization.yaml": "resources: [b.yaml]\n"}


def check(system: System) -> Found:
    """Report references to nothing."""
    for reference in system.graph.missing():
        yield reference.position, f"{reference.text} does not exist"
