"""Credentials that are read once."""

from policies.model.needs import needs
from policies.model.system import System
from policies.rule import Found

ID = "KEYS07"
TITLE = "A pod of the product reads credentials from the environment or by subPath"
WHY = "Both are fixed when the container starts: after a rotation every request fails until someone restarts it."
FIX = "Mount the Secret as files, without subPath, and read them for each new connection."
_POD = """\
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: main}
spec: {containers: [{name: a, envFrom: [{configMapRef: {name: db}}]}]}
"""
GOOD = {"rendered/local/gitops/main": _POD}
BAD = {"rendered/local/gitops/main": _POD.replace("configMapRef", "secretRef")}


def check(system: System) -> Found:
    """Report Secrets in env and envFrom of our own pods, and mounts of a Secret by subPath."""
    for _, pod in system.pods():
        if not pod.owner.ours:
            continue
        for need in needs(pod):
            if need.kind == "Secret" and need.in_environment:
                yield need.position, f"Secret {need.name} is read once, as environment"
        secret_volumes = {
            volume.get("name") for volume in pod.spec.get("volumes") or [] if volume.get("secret")
        }
        for container in pod.containers:
            for number, mount in enumerate(container.get("volumeMounts") or []):
                if mount.get("subPath") and mount.get("name") in secret_volumes:
                    yield pod.at(*container.path, "volumeMounts", number), "a Secret is mounted by subPath"
