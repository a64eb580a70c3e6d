"""Hooks that nobody ends."""

from policies.model.system import System
from policies.rule import Found

ID = "ORDER06"
TITLE = "A hook Job has no activeDeadlineSeconds, or tries again and again"
WHY = "A pod that cannot start, for lack of its image or Secret, keeps the sync Progressing for ever (argo-cd 15593)."
FIX = "Set activeDeadlineSeconds above the program's own limit, and a small backoffLimit."
_JOB = """\
apiVersion: batch/v1
kind: Job
metadata: {name: a, namespace: main, annotations: {argocd.argoproj.io/hook: PreSync}}
spec: {activeDeadlineSeconds: 60, backoffLimit: 0}
"""
GOOD = {"rendered/local/gitops/main": _JOB}
BAD = {"rendered/local/gitops/main": _JOB.replace("activeDeadlineSeconds: 60, ", "")}

_LONGEST = 900


def check(system: System) -> Found:
    """Report hooks without a deadline of at most 15 minutes, or with the default of six retries."""
    for _, found in system.each():
        if not found.hook or found.kind != "Job":
            continue
        deadline, retries = found.get("spec", "activeDeadlineSeconds"), found.get("spec", "backoffLimit")
        if not isinstance(deadline, int) or deadline > _LONGEST:
            limit = f"{deadline} s" if deadline else "no deadline"
            yield found.at("spec", "activeDeadlineSeconds"), f"{found.label} has {limit}"
        if not isinstance(retries, int) or retries > 2:
            yield (
                found.at("spec", "backoffLimit"),
                f"{found.label} is tried {(retries if isinstance(retries, int) else 6) + 1} times",
            )
