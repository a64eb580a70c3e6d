"""Write-back into the live object, below a parent that heals it away."""

from policies.model.shape import mapping, sequence, texts
from policies.model.system import System
from policies.model.updater import references
from policies.rule import Found

ID = "SHIP17"
TITLE = "An ImageUpdater writes into a live Application that its parent would put back"
WHY = "The parent's self-heal reverts the version, the updater sets it again: an endless sync (argocd-image-updater 132)."
FIX = "Write back to git, or let the parent ignore /spec/source/kustomize/images with RespectIgnoreDifferences=true."
_UPDATER = """\
apiVersion: argocd-image-updater.argoproj.io/v1alpha1
kind: ImageUpdater
metadata: {name: main, namespace: argocd}
spec:
  writeBackConfig: {method: git}
  applicationRefs:
  - {namePattern: main, images: []}
"""
_ROOT = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: root, namespace: argocd}
spec:
  source: {path: gitops/apps}
  syncPolicy: {automated: {selfHeal: true}}
"""
_MAIN = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: main, namespace: argocd}
spec: {source: {path: gitops/main/overlays/local}}
"""
GOOD = {
    "rendered/local/gitops/updater": _UPDATER,
    "rendered/local/gitops/bootstrap/overlays/local": _ROOT,
    "rendered/local/gitops/apps": _MAIN,
}
BAD = {**GOOD, "rendered/local/gitops/updater": _UPDATER.replace("method: git", "method: argocd")}


def check(system: System) -> Found:
    """Look at the parent of each Application that is written live."""
    for environment in system.environments:
        for reference in references(environment):
            if reference.method != "argocd":
                continue
            for application in environment.applications:
                if application.name != reference.pattern:
                    continue
                parent = environment.application_of(application.object.path)
                if parent is None or not mapping(parent.automated).get("selfHeal"):
                    continue
                ignored = {
                    pointer
                    for entry in sequence(parent.object.get("spec", "ignoreDifferences"))
                    for pointer in (
                        *texts(mapping(entry).get("jsonPointers")),
                        *texts(mapping(entry).get("jqPathExpressions")),
                    )
                }
                covered = any("kustomize" in pointer for pointer in ignored)
                if not covered or "RespectIgnoreDifferences=true" not in parent.options:
                    place = reference.updater.at("spec", "writeBackConfig", "method")
                    yield place, f"{parent.name} heals what is written into {application.name}"
