"""Images that are asked for again at every start."""

from policies.model.system import System
from policies.rule import Found

ID = "SHIP15"
TITLE = "A container of ours pulls its image at every start"
WHY = (
    "A version never changes, so the question costs time, and while the registry is away no pod can restart."
)
FIX = "Set imagePullPolicy: IfNotPresent."
_POD = """\
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: main}
spec: {containers: [{name: app, image: "registry.example/eks-app:v1.0.0", imagePullPolicy: IfNotPresent}]}
"""
GOOD = {"rendered/local/gitops/main/overlays/local": _POD}
BAD = {"rendered/local/gitops/main/overlays/local": _POD.replace("IfNotPresent", "Always")}


def check(system: System) -> Found:
    """Report imagePullPolicy Always on our own pods."""
    for _, pod in system.pods():
        for container in pod.containers:
            if pod.owner.ours and container.get("imagePullPolicy") not in (None, "IfNotPresent"):
                place = pod.at(*container.path, "imagePullPolicy")
                yield place, f"{container.name} has imagePullPolicy {container.get('imagePullPolicy')}"
