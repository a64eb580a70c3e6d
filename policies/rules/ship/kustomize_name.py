"""Image Updaters that write an image name which the kustomization does not have."""

from policies.model.shape import mapping, sequence
from policies.model.system import System
from policies.model.updater import references
from policies.rule import Found

ID = "SHIP07"
TITLE = "An ImageUpdater's kustomize name is not that of the images entry it has to write"
WHY = (
    "It then adds an entry of its own that matches no image: every release is committed, and nothing changes."
)
FIX = "Use one word for manifestTargets.kustomize.name, for images[].name in the overlay and for the image in the base."
_UPDATER = """\
apiVersion: argocd-image-updater.argoproj.io/v1alpha1
kind: ImageUpdater
metadata: {name: main, namespace: argocd}
spec:
  writeBackConfig:
    method: git
    gitConfig: {writeBackTarget: "kustomization:/gitops/main/overlays/local"}
  applicationRefs:
  - namePattern: main
    images:
    - {imageName: registry.example/eks-app, manifestTargets: {kustomize: {name: eks-app}}}
"""
_OVERLAY = "images:\n- {name: eks-app, newName: registry.example/eks-app, newTag: v1.0.0}\n"
GOOD = {
    "rendered/local/gitops/updater": _UPDATER,
    "gitops/main/overlays/local/kustomization.yaml": _OVERLAY,
}
BAD = {**GOOD, "rendered/local/gitops/updater": _UPDATER.replace("name: eks-app", "name: app")}


def check(system: System) -> Found:
    """Look for the entry in the kustomization that is written."""
    for environment in system.environments:
        for reference in references(environment):
            kustomization = system.graph.kustomizations.get(reference.folder or "")
            if kustomization is None:
                continue
            entries = {
                str(mapping(entry).get("name")): str(mapping(entry).get("newName", ""))
                for entry in sequence(kustomization.value.get("images"))
            }
            for image in reference.images:
                place = reference.at("images", image.number, "manifestTargets")
                if image.kustomize not in entries:
                    yield place, f"{kustomization.document.file} has no image {image.kustomize}"
                elif entries[image.kustomize] != image.name:
                    yield place, f"{image.kustomize} is {entries[image.kustomize]} there, not {image.name}"
