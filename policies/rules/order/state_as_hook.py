"""State that is applied as a hook."""

from policies.model.system import System
from policies.rule import Found

ID = "ORDER08"
TITLE = "A Secret, ExternalSecret, ServiceAccount or Deployment is a hook"
WHY = "Each sync deletes it first, and with an ExternalSecret the Secret that running pods use."
FIX = "Apply it as a plain resource of an Application of an earlier wave."
_TREE = """\
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: a, namespace: main, annotations: {argocd.argoproj.io/sync-wave: "0"}}
"""
GOOD = {"rendered/local/gitops/main": _TREE}
BAD = {"rendered/local/gitops/main": _TREE.replace('sync-wave: "0"', "hook: PreSync")}

_MAY = ("Job", "Pod", "Workflow")


def check(system: System) -> Found:
    """Report hooks that are not something which runs and ends."""
    for _, found in system.each():
        if found.hook and found.kind not in _MAY:
            place = found.at("metadata", "annotations", "argocd.argoproj.io/hook")
            yield place, f"{found.label} is a {found.hook} hook"
