"""Images that the cluster wants and nothing builds."""

from policies.model.objects import split_image
from policies.model.system import System
from policies.rule import Found

ID = "SHIP02"
TITLE = "A pod runs an image of our registry that the bake file does not build"
WHY = "A release publishes everything else, and the pod waits in ImagePullBackOff for an image that never comes."
FIX = "Correct the image's name, or add a target to app/docker-bake.hcl."
_POD = """\
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: main}
spec: {containers: [{name: a, image: "registry.example/eks-app:v1.0.0"}]}
"""
_TREE = {
    "app/docker-bake.hcl": 'target "eks-app" {\n  tags = ["${REGISTRY}/eks-app:${VERSION}"]\n}\n',
    "gitops/wiring/local/wiring.yaml": "data: {registry: registry.example}\n",
}
GOOD = {"rendered/local/gitops/main/overlays/local": _POD, **_TREE}
BAD = {"rendered/local/gitops/main/overlays/local": _POD.replace("eks-app", "eks-ap"), **_TREE}


def check(system: System) -> Found:
    """Compare images of the environment's registry with the bake file's targets."""
    built = {target.image for target in system.product.targets}
    for environment, pod in system.pods():
        registry = environment.wiring.get("registry", "")
        for container in pod.containers:
            name, _, _ = split_image(container.image)
            if (
                registry
                and name.startswith(f"{registry}/")
                and name.removeprefix(f"{registry}/") not in built
            ):
                yield pod.image_at(container), f"nothing builds {name.removeprefix(registry + '/')}"
