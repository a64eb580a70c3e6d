"""Several documents in one file."""

from policies.model.system import System
from policies.rule import Found

ID = "READ06"
TITLE = "A file holds several YAML documents"
WHY = "Readers that take one document ignore the rest in silence; a patch applies to one of them only."
FIX = "Give each object a file of its own and list it in the kustomization."
GOOD = {"gitops/a.yaml": "kind: A\n", "gitops/b.yaml": "kind: B\n"}
BAD = {"gitops/a.yaml": "kind: A\n---\nkind: B\n"}


def check(system: System) -> Found:
    """Report each document after the first."""
    for fault in system.sources.faults:
        if fault.code == "several":
            yield fault.position, fault.message
