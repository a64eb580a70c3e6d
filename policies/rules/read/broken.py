"""YAML that does not parse."""

from policies.model.system import System
from policies.rule import Found

ID = "READ02"
TITLE = "A YAML file does not parse"
WHY = "Argo CD stops at it, and every rule about its contents would stay silent."
FIX = "Correct the syntax at the place that is named."
GOOD = {"gitops/a.yaml": "a: {b: c}\n"}
BAD = {"gitops/a.yaml": "a: {b: c\n"}


def check(system: System) -> Found:
    """Report every file whose parse failed."""
    for fault in system.sources.faults:
        if fault.code == "broken":
            yield fault.position, f"the file is no YAML: {fault.message}"
