"""Files that cannot be read as text."""

from policies.model.system import System
from policies.rule import Found

ID = "READ01"
TITLE = "A file is no text: binary, not UTF-8, too large, or a dangling link"
WHY = "What cannot be read is not checked by anyone, and kustomize or a reviewer may see something else."
FIX = "Store it as UTF-8 text, or move what is no configuration out of the tree."
GOOD = {"gitops/a.yaml": "name: caf\u00e9\n"}
BAD = {"gitops/a.yaml": "name: a\0b\n"}


def check(system: System) -> Found:
    """Report what the loader and the decoder refused."""
    for fault in system.sources.faults:
        if fault.code == "unread":
            yield fault.position, f"the file was not read: {fault.message}"
