"""The product with one replica, or with a rollout that goes below its replicas."""

from policies.model.system import System
from policies.rule import Found

ID = "SAFE12"
TITLE = "A Deployment behind a Service has one replica, or a rollout that takes one away first"
WHY = "Each release, node upgrade or crash then is an outage, however short."
FIX = "At least two replicas and rollingUpdate.maxUnavailable: 0."
_TREE = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: main, namespace: main}
spec:
  replicas: 2
  strategy: {rollingUpdate: {maxUnavailable: 0}}
  template: {metadata: {labels: {app: a}}, spec: {containers: [{name: app, image: "r/eks-app:v1.0.0"}]}}
"""
_BAKE = {"app/docker-bake.hcl": 'target "eks-app" {\n  tags = ["${REGISTRY}/eks-app:${VERSION}"]\n}\n'}
GOOD = {"rendered/local/gitops/main/overlays/local": _TREE, **_BAKE}
BAD = {"rendered/local/gitops/main/overlays/local": _TREE.replace("replicas: 2", "replicas: 1"), **_BAKE}


def check(system: System) -> Found:
    """Look at the Deployments that run an image of the product."""
    images = {target.image for target in system.product.targets}
    for _, pod in system.pods():
        owner = pod.owner
        names = {
            container.image.partition("@")[0].rpartition("/")[2].partition(":")[0]
            for container in pod.containers
        }
        if owner.kind != "Deployment" or not names & images:
            continue
        replicas = owner.get("spec", "replicas")
        if not isinstance(replicas, int) or replicas < 2:
            yield owner.at("spec", "replicas"), f"{owner.label} has {replicas or 1} replica"
        if owner.get("spec", "strategy", "type") == "Recreate":
            yield (
                owner.at("spec", "strategy", "type"),
                f"{owner.label} stops all pods before it starts new ones",
            )
        elif owner.get("spec", "strategy", "rollingUpdate", "maxUnavailable") not in (0, "0%"):
            place = owner.at("spec", "strategy", "rollingUpdate", "maxUnavailable")
            yield place, f"a rollout of {owner.label} may go below its replicas"
