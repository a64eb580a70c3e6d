"""Entries of `images` that change no image."""

from policies.model.objects import split_image
from policies.model.shape import mapping, sequence
from policies.model.system import System
from policies.rule import Found

ID = "SHIP13"
TITLE = "A kustomization's images entry matches no image"
WHY = (
    "kustomize ignores it in silence, so the pod runs the base's placeholder and the tag here means nothing."
)
FIX = "Use the name that the container's image has in the base."
_POD = """\
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: main}
spec: {containers: [{name: app, image: "registry.example/eks-app:v1.0.0"}]}
"""
_FILE = "gitops/main/overlays/local/kustomization.yaml"
_IMAGES = "images:\n- {name: eks-app, newName: registry.example/eks-app, newTag: v1.0.0}\n"
GOOD = {"rendered/local/gitops/main/overlays/local": _POD, _FILE: _IMAGES}
BAD = {"rendered/local/gitops/main/overlays/local": _POD, _FILE: _IMAGES.replace("v1.0.0", "v1.0.1")}


def check(system: System) -> Found:
    """Look for what each entry would make, in the folders that are rendered and those they are made of."""
    for environment in system.environments:
        for path in environment.paths:
            run = {
                split_image(container.image)[:2]
                for pod in environment.pods_of(path)
                for container in pod.containers
            }
            for kustomization in system.graph.chain(path):
                own = kustomization.folder == path
                for number, entry in enumerate(map(mapping, sequence(kustomization.value.get("images")))):
                    name, tag = str(entry.get("newName") or entry.get("name")), entry.get("newTag")
                    # A folder above may set another tag; then only the name has to be there.
                    if not any(name == found and (not own or tag in (None, its)) for found, its in run):
                        place = kustomization.document.at("images", number, "name")
                        yield place, f"no image became {name}:{tag}"
