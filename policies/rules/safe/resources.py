"""Containers that do not say what they need."""

from policies.model.system import System
from policies.rule import Found

ID = "SAFE05"
TITLE = "A container does not say what memory and CPU it needs, or how much memory it may use"
WHY = "The scheduler packs such pods onto a full node, and the kernel ends somebody else's process."
FIX = "Set resources.requests for cpu and memory, and limits.memory; measure, then leave room."
_POD = """\
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: main}
spec:
  containers:
  - name: a
    image: a:v1.0.0
    resources: {requests: {cpu: 10m, memory: 16Mi}, limits: {memory: 64Mi}}
"""
GOOD = {"rendered/local/gitops/main/overlays/local": _POD}
BAD = {"rendered/local/gitops/main/overlays/local": _POD.replace(", limits: {memory: 64Mi}", "")}

_NEEDED = (("requests", "cpu"), ("requests", "memory"), ("limits", "memory"))


def check(system: System) -> Found:
    """Report each missing value."""
    for _, pod in system.pods():
        for container in pod.containers:
            for field in _NEEDED:
                if container.get("resources", *field) is None:
                    place = pod.at(*container.path, "resources", *field)
                    what = f"container {container.name} of {pod.owner.label}"
                    yield place, f"{what} has no resources.{'.'.join(field)}"
