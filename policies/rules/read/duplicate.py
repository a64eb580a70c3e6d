"""Keys that are there twice."""

from policies.model.system import System
from policies.rule import Found

ID = "READ03"
TITLE = "A mapping has a key twice"
WHY = "The last one wins in some readers, others refuse the file: what was meant is lost in silence."
FIX = "Keep one of the two."
GOOD = {"gitops/a.yaml": "replicas: 2\n"}
BAD = {"gitops/a.yaml": "replicas: 2\nreplicas: 1\n"}


def check(system: System) -> Found:
    """Report the second of two equal keys."""
    for fault in system.sources.faults:
        if fault.code == "duplicate":
            yield fault.position, fault.message
