"""Service ports that no container has."""

from policies.model.system import System
from policies.model.traffic import container_port, pods_of, service_ports, target_of
from policies.rule import Found

ID = "EDGE03"
TITLE = "A Service's target port is no port of its pods"
WHY = "A port by name that does not exist leaves the Service without endpoints; a wrong number refuses every connection."
FIX = "Name the container's port and use that name as targetPort."
_TREE = """\
apiVersion: v1
kind: Service
metadata: {name: main, namespace: main}
spec: {selector: {app: a}, ports: [{port: 80, targetPort: web}]}
---
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: main, labels: {app: a}}
spec: {containers: [{name: web, ports: [{name: web, containerPort: 80}]}]}
"""
GOOD = {"rendered/local/gitops/main": _TREE}
BAD = {
    "rendered/local/gitops/main": _TREE.replace(
        "{name: web, containerPort: 80}", "{name: http, containerPort: 80}"
    )
}


def check(system: System) -> Found:
    """Look for each target in each selected pod; upstream need not declare a port that it sends to by number."""
    for environment in system.environments:
        for service in environment.kind("Service", ""):
            for pod in pods_of(environment, service):
                for number, port in enumerate(service_ports(service)):
                    target = target_of(port)
                    declared = isinstance(target, str) or service.ours
                    if declared and container_port(pod, target) is None:
                        place = service.at("spec", "ports", number)
                        yield (
                            place,
                            f"{service.label} sends to {target}, which no container of {pod.owner.label} has",
                        )
