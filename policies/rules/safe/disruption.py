"""Deployments that a drain takes away, or that a drain cannot move."""

from collections.abc import Mapping
from typing import Any

from policies.model.objects import Object
from policies.model.shape import mapping
from policies.model.system import Environment, System
from policies.rule import Found

ID = "SAFE06"
TITLE = "A disruption budget is missing, or permits nothing"
WHY = "Without one, a node upgrade evicts all replicas at once; with one that permits nothing, it never ends."
FIX = "Give each replicated Deployment a PodDisruptionBudget whose minAvailable is less than its replicas."
_TREE = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: a, namespace: main}
spec:
  replicas: 2
  template: {metadata: {labels: {app: a}}, spec: {containers: []}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: a, namespace: main}
spec: {minAvailable: 1, selector: {matchLabels: {app: a}}}
"""
GOOD = {"rendered/local/gitops/main/overlays/local": _TREE}
BAD = {"rendered/local/gitops/main/overlays/local": _TREE.replace("minAvailable: 1", "minAvailable: 2")}


def check(system: System) -> Found:
    """Report replicated Deployments without a budget, and budgets that permit or select nothing."""
    for environment in system.environments:
        for deployment in environment.kind("Deployment"):
            replicas = deployment.get("spec", "replicas")
            labels = mapping(deployment.get("spec", "template", "metadata", "labels"))
            budgets = environment.kind_in("PodDisruptionBudget", deployment.namespace)
            if (
                isinstance(replicas, int)
                and replicas > 1
                and not any(_matches(each, labels) for each in budgets)
            ):
                yield deployment.at("metadata", "name"), f"{deployment.label} has no PodDisruptionBudget"
        for budget in environment.kind("PodDisruptionBudget"):
            yield from _useless(environment, budget)


def _useless(environment: Environment, budget: Object) -> Found:
    pods = [pod for pod in environment.pods_in(budget.namespace) if _matches(budget, pod.labels)]
    if not pods:
        yield budget.at("spec", "selector"), f"{budget.label} selects no pod"
    for pod in pods:
        if pod.owner.kind == "Deployment" and _blocks(budget, pod.owner.get("spec", "replicas")):
            yield budget.at("spec", "minAvailable"), f"{budget.label} never lets a pod of {pod.owner.name} go"


def _matches(budget: Object, labels: Mapping[str, Any]) -> bool:
    wanted = mapping(budget.get("spec", "selector", "matchLabels"))
    return bool(wanted) and wanted.items() <= labels.items()


def _blocks(budget: Object, replicas: object) -> bool:
    least, most = budget.get("spec", "minAvailable"), budget.get("spec", "maxUnavailable")
    count = replicas if isinstance(replicas, int) else 1
    return (isinstance(least, int) and least >= count) or least == "100%" or most in (0, "0%")
