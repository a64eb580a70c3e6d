"""Images of another environment's registry."""

import re

from policies.model.objects import split_image
from policies.model.system import System
from policies.rule import Found

ID = "SHIP16"
TITLE = "A product image comes from a registry that is not the environment's"
WHY = "The node may not pull from another account, and if it may, one environment runs what another one released."
FIX = "Take the registry from gitops/wiring/ENV/wiring.yaml; in `images`, write that name."
_POD = """\
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: main}
spec: {containers: [{name: app, image: "111111111111.dkr.ecr.eu-west-1.amazonaws.com/eks-app:v1.0.0"}]}
"""
_WIRING = "data: {registry: 111111111111.dkr.ecr.eu-west-1.amazonaws.com}\n"
_NAME = "gitops/wiring/local/wiring.yaml"
GOOD = {"rendered/local/gitops/main/overlays/local": _POD, _NAME: _WIRING}
BAD = {"rendered/local/gitops/main/overlays/local": _POD, _NAME: _WIRING.replace("1111", "2222")}

_ECR = re.compile(r"\d{12}\.dkr\.ecr\.[\w-]+\.amazonaws\.com")


def check(system: System) -> Found:
    """Compare ECR names, and names of bake targets, with the wiring file."""
    built = {target.image for target in system.product.targets}
    for environment, pod in system.pods():
        registry = environment.wiring.get("registry", "")
        for container in pod.containers:
            host, _, name = split_image(container.image)[0].rpartition("/")
            if (name in built or _ECR.match(host)) and registry and host != registry:
                yield (
                    pod.image_at(container),
                    f"{container.name} comes from {host or 'no registry'}, not {registry}",
                )
