"""Containers that can change their own programs."""

from policies.model.system import System
from policies.rule import Found

ID = "SAFE03"
TITLE = "A container's root file system is writable"
WHY = "Whoever gets into the process can replace its program, and files grow on the node's disk unseen."
FIX = "Set readOnlyRootFilesystem: true and mount an emptyDir with a sizeLimit where the program writes."
_POD = """\
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: main}
spec:
  containers:
  - {name: a, image: "a:v1.0.0", securityContext: {readOnlyRootFilesystem: true}}
"""
GOOD = {"rendered/local/gitops/main/overlays/local": _POD}
BAD = {"rendered/local/gitops/main/overlays/local": _POD.replace("true", "false")}


def check(system: System) -> Found:
    """Report containers without readOnlyRootFilesystem."""
    for _, pod in system.pods():
        for container in pod.containers:
            if container.get("securityContext", "readOnlyRootFilesystem") is not True:
                place = pod.at(*container.path, "securityContext", "readOnlyRootFilesystem")
                yield (
                    place,
                    f"container {container.name} of {pod.owner.label} can write to its root file system",
                )
