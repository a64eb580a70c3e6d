"""Applications that do not follow git by themselves."""

from policies.model.system import System
from policies.rule import Found

ID = "ORDER11"
TITLE = "An Application does not prune or heal itself"
WHY = "What was deleted in git goes on running, and what someone changed by hand stays: git no longer tells what runs."
FIX = "Set syncPolicy.automated: {prune: true, selfHeal: true}."
_APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: main, namespace: argocd}
spec: {syncPolicy: {automated: {prune: true, selfHeal: true}}}
"""
GOOD = {"rendered/local/gitops/apps": _APPLICATION}
BAD = {"rendered/local/gitops/apps": _APPLICATION.replace("selfHeal: true", "selfHeal: false")}


def check(system: System) -> Found:
    """Look at the sync policy, that of the root included."""
    for environment in system.environments:
        for application in environment.applications:
            place = ("spec", "syncPolicy", "automated")
            if application.automated is None or application.automated.get("enabled") is False:
                yield application.at(*place), f"{application.name} is not synced automatically"
                continue
            for field in ("prune", "selfHeal"):
                if application.automated.get(field) is not True:
                    yield application.at(*place, field), f"{application.name} has {field} off"
