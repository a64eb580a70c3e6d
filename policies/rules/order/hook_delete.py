"""Hooks that stay in their own way."""

from policies.model.system import System
from policies.rule import Found

ID = "ORDER07"
TITLE = "A hook with a fixed name is not deleted before it is created again"
WHY = "A Job cannot be changed: the next release finds the last run's Job, and its migration does not run."
FIX = "Set argocd.argoproj.io/hook-delete-policy: BeforeHookCreation."
_JOB = """\
apiVersion: batch/v1
kind: Job
metadata:
  name: a
  namespace: main
  annotations:
    argocd.argoproj.io/hook: PreSync
    argocd.argoproj.io/hook-delete-policy: BeforeHookCreation
"""
GOOD = {"rendered/local/gitops/main": _JOB}
BAD = {"rendered/local/gitops/main": _JOB.replace("BeforeHookCreation", "HookSucceeded")}

_POLICY = "argocd.argoproj.io/hook-delete-policy"


def check(system: System) -> Found:
    """Report hooks whose policy keeps a failed run; without a policy, BeforeHookCreation is the default."""
    for _, found in system.each():
        policy = found.annotations.get(_POLICY)
        if found.hook and found.name and policy is not None and "BeforeHookCreation" not in str(policy):
            yield (
                found.at("metadata", "annotations", _POLICY),
                f"{found.label} keeps a run that failed ({policy})",
            )
