"""Ingresses that lead to nothing."""

from policies.model.system import System
from policies.model.traffic import routes, service_of, service_port
from policies.rule import Found

ID = "EDGE01"
TITLE = "An Ingress names a Service or a port that does not exist"
WHY = "The load balancer answers 503 for the whole host; every object is valid by itself."
FIX = "Use the Service's name and the name of one of its ports, in the same namespace."
_TREE = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: main, namespace: main}
spec:
  rules:
  - host: a.example.com
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: main, port: {name: web}}}}]}
---
apiVersion: v1
kind: Service
metadata: {name: main, namespace: main}
spec: {selector: {app: a}, ports: [{name: web, port: 80}]}
"""
GOOD = {"rendered/local/gitops/main": _TREE}
BAD = {"rendered/local/gitops/main": _TREE.replace("port: {name: web}", "port: {name: http}")}


def check(system: System) -> Found:
    """Follow each path to its Service's port."""
    for environment in system.environments:
        for route in routes(environment):
            service = service_of(environment, route)
            if service is None:
                yield route.position, f"Service {route.service} does not exist in {route.ingress.namespace}"
            elif service_port(service, route.port) is None:
                yield route.position, f"{service.label} has no port {route.port}"
