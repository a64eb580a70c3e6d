"""Services that select nothing."""

from policies.model.system import System
from policies.model.traffic import pods_of
from policies.rule import Found

ID = "EDGE02"
TITLE = "A Service's selector matches no pod"
WHY = "It has no endpoints: connections are refused, although pods run and are ready."
FIX = "Give the pod template the labels that the selector names."
_TREE = """\
apiVersion: v1
kind: Service
metadata: {name: main, namespace: main}
spec: {selector: {app: a}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: main, labels: {app: a}}
spec: {containers: []}
"""
GOOD = {"rendered/local/gitops/main": _TREE}
BAD = {"rendered/local/gitops/main": _TREE.replace("labels: {app: a}", "labels: {app: b}")}


def check(system: System) -> Found:
    """Compare selectors with the labels of pods in the namespace."""
    for environment in system.environments:
        for service in environment.kind("Service", ""):
            if service.get("spec", "selector") and not pods_of(environment, service):
                yield service.at("spec", "selector"), f"{service.label} selects no pod in {service.namespace}"
