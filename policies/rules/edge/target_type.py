"""Load balancer targets that do not fit the Service."""

from policies.model.system import System
from policies.model.traffic import routes, service_of
from policies.rule import Found

ID = "EDGE08"
TITLE = "The load balancer's target type does not fit the Service's type"
WHY = "`instance` needs a node port that a ClusterIP has not; a NodePort behind `ip` opens every node for nothing."
FIX = "target-type ip with a ClusterIP Service."
_TREE = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: main, namespace: main, annotations: {alb.ingress.kubernetes.io/target-type: ip}}
spec:
  ingressClassName: alb
  rules: [{host: a.example.com, http: {paths: [{backend: {service: {name: main, port: {number: 80}}}}]}}]
---
apiVersion: v1
kind: Service
metadata: {name: main, namespace: main}
spec: {type: ClusterIP, ports: [{port: 80}]}
"""
GOOD = {"rendered/production/gitops/main": _TREE}
BAD = {"rendered/production/gitops/main": _TREE.replace("target-type: ip", "target-type: instance")}

_TYPE = "alb.ingress.kubernetes.io/target-type"


def check(system: System) -> Found:
    """Compare the annotation with the Service, where the class is alb."""
    for environment in system.environments:
        for route in routes(environment):
            if route.ingress.get("spec", "ingressClassName") != "alb":
                continue
            service = service_of(environment, route)
            kind = str(service.get("spec", "type") or "ClusterIP") if service else ""
            target = str(route.ingress.annotations.get(_TYPE, "instance"))
            if service and (target == "ip") != (kind == "ClusterIP"):
                place = route.ingress.at("metadata", "annotations", _TYPE)
                yield place, f"target type {target} with {service.label} of type {kind}"
