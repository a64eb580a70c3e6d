"""Secrets whose data is in git."""

from policies.model.shape import mapping
from policies.model.system import System
from policies.rule import Found

ID = "KEYS05"
TITLE = "A Secret in git has data"
WHY = "Everyone who can read the repository, now or later, has it; base64 hides nothing."
FIX = "Rotate the value, then let an ExternalSecret read it from Secrets Manager."
_SECRET = """\
apiVersion: v1
kind: Secret
metadata: {name: a, namespace: main}
"""
GOOD = {"rendered/local/gitops/main": _SECRET}
BAD = {
    "rendered/local/gitops/main": _SECRET + "stringData: {password: hunter2}\n"
}  # pragma: allowlist secret


def check(system: System) -> Found:
    """Report data and stringData of rendered Secrets."""
    for _, found in system.each():
        if found.kind == "Secret" and found.group == "":
            for field in ("data", "stringData"):
                if mapping(found.get(field)):
                    yield found.at(field), f"{found.label} has {field} in git"
