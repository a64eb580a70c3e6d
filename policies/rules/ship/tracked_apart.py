"""Image Updaters that track more than one image of an Application."""

from policies.model.shape import mapping, sequence
from policies.model.system import System
from policies.rule import Found

ID = "SHIP05"
TITLE = "An ImageUpdater tracks several images of one Application"
WHY = (
    "Each image is looked up and written apart; a webhook considers only the image it names. Versions mix, and one"
    " release makes several commits and migrations (argocd-image-updater 279, 562, 623, 821)."
)
FIX = "Track eks-app alone; kustomize replacements in gitops/main/release move the others with it."
_TREE = """\
apiVersion: argocd-image-updater.argoproj.io/v1alpha1
kind: ImageUpdater
metadata: {name: main, namespace: argocd}
spec:
  applicationRefs:
  - namePattern: main
    images:
    - {alias: app, imageName: registry.example/eks-app}
"""
GOOD = {"rendered/local/gitops/platform/overlays/local": _TREE}
BAD = {
    "rendered/local/gitops/platform/overlays/local": _TREE
    + "    - {alias: web, imageName: registry.example/eks-web}\n"
}


def check(system: System) -> Found:
    """Count the images of each reference."""
    for _, found in system.each():
        if found.kind != "ImageUpdater":
            continue
        for number, reference in enumerate(sequence(found.get("spec", "applicationRefs"))):
            images = sequence(mapping(reference).get("images"))
            if len(images) > 1:
                names = ", ".join(str(mapping(image).get("imageName")) for image in images)
                yield found.at("spec", "applicationRefs", number, "images"), f"{found.label} tracks {names}"
