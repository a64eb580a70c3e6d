"""Ingresses for a controller that is not there."""

from policies.model.shape import dig
from policies.model.system import System
from policies.rule import Found

ID = "EDGE09"
TITLE = "An Ingress's class is made by nothing in its environment"
WHY = "No controller takes it up: it gets no address, stays Progressing, and Argo CD waits for it."
FIX = "Name the class that the environment's edge makes: traefik locally, alb in production."
_TREE = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: main, namespace: main}
spec: {ingressClassName: traefik}
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: traefik}
"""
GOOD = {"rendered/local/gitops/main": _TREE}
BAD = {"rendered/local/gitops/main": _TREE.replace("ingressClassName: traefik", "ingressClassName: nginx")}


def check(system: System) -> Found:
    """Look for the IngressClass, rendered or named in a chart's values."""
    for environment in system.environments:
        classes = {found.name for found in environment.kind("IngressClass")}
        for application in environment.applications:
            values = application.object.get("spec", "source", "helm", "valuesObject")
            if dig(values, "createIngressClassResource") is True:
                classes.add(str(dig(values, "ingressClass")))
        for ingress in environment.kind("Ingress", "networking.k8s.io"):
            name = ingress.get("spec", "ingressClassName")
            if name not in classes:
                yield ingress.at("spec", "ingressClassName"), f"nothing makes IngressClass {name}"
