"""Image Updaters that write somewhere else than their Application reads."""

from policies.model.system import System
from policies.model.updater import references
from policies.rule import Found

ID = "SHIP08"
TITLE = "An ImageUpdater writes to a folder, repository or branch that its Application does not read"
WHY = "The commit is made, perhaps into the other environment, and the Application stays as it is."
FIX = "Let writeBackTarget, repository and branch be the Application's path, repoURL and targetRevision."
_UPDATER = """\
apiVersion: argocd-image-updater.argoproj.io/v1alpha1
kind: ImageUpdater
metadata: {name: main, namespace: argocd}
spec:
  writeBackConfig:
    method: git
    gitConfig: {writeBackTarget: "kustomization:/gitops/main/overlays/local"}
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
BAD = {**GOOD, "rendered/local/gitops/updater": _UPDATER.replace("overlays/local", "overlays/production")}


def check(system: System) -> Found:
    """Compare the target with the source of the Application."""
    for environment in system.environments:
        for reference in references(environment):
            if not reference.method.startswith("git"):
                continue
            git = ("spec", "writeBackConfig", "gitConfig")
            for application in environment.applications:
                if application.name != reference.pattern or not application.sources:
                    continue
                source = application.sources[0]
                if reference.folder != source.key:
                    place = reference.updater.at(*git, "writeBackTarget")
                    yield place, f"it writes to {reference.target}, {application.name} reads {source.path}"
                for key, value in (("repository", source.repository), ("branch", source.revision)):
                    written = reference.updater.get(*git, key)
                    if written is not None and written != value:
                        yield reference.updater.at(*git, key), f"it writes to {key} {written}, not to {value}"
