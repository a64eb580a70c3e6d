"""Hooks that vanish by themselves."""

from policies.model.system import System
from policies.rule import Found

ID = "ORDER05"
TITLE = "A hook Job has ttlSecondsAfterFinished"
WHY = "It can vanish before Argo CD has seen that it ended, and the sync hangs (argo-cd 21055, 18884)."
FIX = "Remove it; hook-delete-policy BeforeHookCreation clears the last run."
_JOB = """\
apiVersion: batch/v1
kind: Job
metadata: {name: a, namespace: main, annotations: {argocd.argoproj.io/hook: PreSync}}
spec: {activeDeadlineSeconds: 60}
"""
GOOD = {"rendered/local/gitops/main": _JOB}
BAD = {"rendered/local/gitops/main": _JOB.replace("activeDeadlineSeconds", "ttlSecondsAfterFinished")}


def check(system: System) -> Found:
    """Report the field on Jobs that are hooks."""
    for _, found in system.each():
        if found.hook and found.kind == "Job" and found.get("spec", "ttlSecondsAfterFinished") is not None:
            yield found.at("spec", "ttlSecondsAfterFinished"), f"{found.label} removes itself after it ended"
