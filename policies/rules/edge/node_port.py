"""Node ports that clash, or that production has."""

from policies.model.objects import Object
from policies.model.shape import mapping, sequence
from policies.model.system import System
from policies.rule import Found

ID = "EDGE11"
TITLE = "Two Services want one node port, or production opens a port on every node"
WHY = "The second Service is refused by the API server; in production the port goes around the load balancer."
FIX = "Give each NodePort of overlays/local a number of its own, and use ClusterIP in production."
_TREE = """\
apiVersion: v1
kind: Service
metadata: {name: a, namespace: main}
spec: {type: NodePort, ports: [{port: 80, nodePort: 30080}]}
---
apiVersion: v1
kind: Service
metadata: {name: b, namespace: main}
spec: {type: NodePort, ports: [{port: 80, nodePort: 30081}]}
"""
GOOD = {"rendered/local/gitops/main": _TREE}
BAD = {"rendered/local/gitops/main": _TREE.replace("30081", "30080")}


def check(system: System) -> Found:
    """Collect node ports; none may exist outside the local environment."""
    for environment in system.environments:
        taken: dict[int, Object] = {}
        for service in environment.kind("Service", ""):
            kind = service.get("spec", "type")
            if environment.name != "local" and kind in ("NodePort", "LoadBalancer"):
                yield service.at("spec", "type"), f"{service.label} is of type {kind} in {environment.name}"
            for number, port in enumerate(map(mapping, sequence(service.get("spec", "ports")))):
                node = port.get("nodePort")
                if not isinstance(node, int):
                    continue
                if node in taken:
                    yield (
                        service.at("spec", "ports", number),
                        f"node port {node} belongs to {taken[node].label}",
                    )
                taken[node] = service
