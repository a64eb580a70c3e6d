"""Pods that are killed before they have finished leaving."""

from policies.model.system import System
from policies.rule import Found

ID = "SAFE10"
TITLE = "A container's preStop pause does not fit into the pod's grace period"
WHY = "The kubelet kills the container in the middle of requests that it had promised to finish."
FIX = "Raise terminationGracePeriodSeconds above preStop.sleep, with time left for the requests in flight."
_TREE = """\
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: main}
spec:
  terminationGracePeriodSeconds: 30
  containers:
  - {name: a, lifecycle: {preStop: {sleep: {seconds: 5}}}}
"""
GOOD = {"rendered/local/gitops/main/overlays/local": _TREE}
BAD = {"rendered/local/gitops/main/overlays/local": _TREE.replace("30", "5")}


def check(system: System) -> Found:
    """Report pods whose grace period is not longer than a pause in them."""
    for _, pod in system.pods():
        grace = pod.spec.get("terminationGracePeriodSeconds", 30)
        for container in pod.containers:
            pause = container.get("lifecycle", "preStop", "sleep", "seconds")
            if isinstance(pause, int) and isinstance(grace, int) and pause >= grace:
                message = f"{container.name} pauses {pause} s of the {grace} s that its pod has to end"
                yield pod.at("terminationGracePeriodSeconds"), message
