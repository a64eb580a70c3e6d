"""Containers that serve without being asked whether they can."""

from policies.model.system import System
from policies.rule import Found

ID = "SAFE04"
TITLE = "A container that serves has no readiness or liveness probe"
WHY = "Without readiness, a rollout sends requests to a pod that cannot answer; without liveness, a hung one stays."
FIX = "Add readinessProbe and livenessProbe, with a path that the program answers."
_POD = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: a, namespace: main}
spec:
  template:
    spec:
      containers:
      - name: a
        image: a:v1.0.0
        ports: [{containerPort: 80}]
        readinessProbe: {tcpSocket: {port: 80}}
        livenessProbe: {tcpSocket: {port: 80}}
"""
GOOD = {"rendered/local/gitops/main/overlays/local": _POD}
BAD = {"rendered/local/gitops/main/overlays/local": _POD.replace("readinessProbe", "startupProbe")}


def check(system: System) -> Found:
    """Report long-lived containers of our own that have ports and lack a probe."""
    for _, pod in system.pods():
        if pod.short_lived or not pod.owner.ours:
            continue
        for container in pod.containers:
            if container.init or not container.get("ports"):
                continue
            for probe in ("readinessProbe", "livenessProbe"):
                if not container.get(probe):
                    yield pod.at(*container.path, "name"), f"container {container.name} has no {probe}"
