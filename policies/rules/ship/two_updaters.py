"""Two Image Updaters for one Application."""

from fnmatch import fnmatchcase

from policies.model.system import System
from policies.model.updater import references
from policies.rule import Found

ID = "SHIP10"
TITLE = "Two ImageUpdater references own the same Application"
WHY = (
    "They overwrite each other's version, one commit after the other, without end (argocd-image-updater 896)."
)
FIX = "Keep one reference for each Application, with a namePattern that matches no other."
_UPDATER = """\
apiVersion: argocd-image-updater.argoproj.io/v1alpha1
kind: ImageUpdater
metadata: {name: main, namespace: argocd}
spec:
  applicationRefs:
  - {namePattern: main, images: []}
"""
_APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: main, namespace: argocd}
spec: {source: {path: gitops/main/overlays/local}}
"""
GOOD = {"rendered/local/gitops/updater": _UPDATER, "rendered/local/gitops/apps": _APPLICATION}
BAD = {**GOOD, "rendered/local/gitops/updater": _UPDATER + "  - {namePattern: 'ma*', images: []}\n"}


def check(system: System) -> Found:
    """Match each Application with all references."""
    for environment in system.environments:
        every = list(references(environment))
        for application in environment.applications:
            owners = [each for each in every if fnmatchcase(application.name, each.pattern)]
            for extra in owners[1:]:
                first = owners[0].updater.label
                yield extra.at("namePattern"), f"{application.name} is already updated by {first}"
