"""Images that are built and that no pod runs."""

from policies.model.objects import split_image
from policies.model.system import System
from policies.rule import Found

ID = "SHIP03"
TITLE = "The bake file builds an image that an environment does not run"
WHY = "Its name was changed on one side: the pod runs an old image or none, while releases look complete."
FIX = "Give the target and the manifests one name, or remove the target."
_POD = """\
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: main}
spec: {containers: [{name: a, image: "registry.example/eks-app:v1.0.0"}]}
"""
_BAKE = 'target "eks-app" {\n  tags = ["${REGISTRY}/eks-app:${VERSION}"]\n}\n'
GOOD = {"rendered/local/gitops/main/overlays/local": _POD, "app/docker-bake.hcl": _BAKE}
BAD = {
    "rendered/local/gitops/main/overlays/local": _POD,
    "app/docker-bake.hcl": _BAKE + _BAKE.replace("eks-app", "eks-web"),
}


def check(system: System) -> Found:
    """Look for each target's image in each environment's pods."""
    for environment in system.environments:
        run = {
            split_image(container.image)[0].rpartition("/")[2]
            for pod in environment.pods
            for container in pod.containers
        }
        for target in system.product.targets:
            if target.image not in run:
                yield target.position, f"no pod of {environment.name} runs {target.image}"
