"""Anchors, aliases and merge keys."""

from policies.model.system import System
from policies.rule import Found

ID = "READ04"
TITLE = "A YAML file uses an anchor, an alias or a merge key"
WHY = (
    "kustomize writes them out, GitHub and CloudFormation read them in part or not at all, and a change"
    " at the anchor changes places that the diff does not show."
)
FIX = "Write the value out where it is used, or let a kustomize patch set it in both places."
GOOD = {"gitops/a.yaml": "a: {x: 1}\nb: {x: 1}\n"}
BAD = {"gitops/a.yaml": "a: &it {x: 1}\nb: *it\n"}


def check(system: System) -> Found:
    """Report each anchor and alias."""
    for fault in system.sources.faults:
        if fault.code == "anchor":
            yield fault.position, f"{fault.message} is used"
