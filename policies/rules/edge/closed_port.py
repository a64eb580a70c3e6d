"""Network policies that close the way in."""

from collections.abc import Mapping
from typing import Any

from policies.model.objects import Object, Pod
from policies.model.shape import mapping, sequence
from policies.model.system import Environment, System
from policies.model.traffic import container_port, pods_of, service_ports, target_of
from policies.rule import Found

ID = "EDGE10"
TITLE = "A network policy closes a port that a Service sends to"
WHY = "Where the network plugin enforces policies, every request times out; locally nobody notices."
FIX = "Admit the container's port in a NetworkPolicy that selects the pods."
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
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: main, namespace: main}
spec: {podSelector: {matchLabels: {app: a}}, policyTypes: [Ingress], ingress: [{ports: [{port: web}]}]}
"""
GOOD = {"rendered/local/gitops/main": _TREE}
BAD = {"rendered/local/gitops/main": _TREE.replace("{ports: [{port: web}]}", "{ports: [{port: 8080}]}")}


def check(system: System) -> Found:
    """Ask the policies of each selected pod."""
    for environment in system.environments:
        for service in environment.kind("Service", ""):
            for pod in pods_of(environment, service):
                policies = _policies(environment, pod)
                for port in service_ports(service) if policies else ():
                    found = container_port(pod, target_of(port))
                    if found and not any(_admits(policy, pod, found[1]) for policy in policies):
                        telling = [policy for policy in policies if policy.get("spec", "ingress")]
                        place = (telling or policies)[-1].at("spec", "ingress")
                        names = ", ".join(policy.name for policy in policies)
                        yield (
                            place,
                            f"{names} admit nothing to port {found[1]} of {pod.owner.label}, where {service.label} sends",
                        )


def _policies(environment: Environment, pod: Pod) -> list[Object]:
    return [
        policy
        for policy in environment.kind_in("NetworkPolicy", pod.owner.namespace)
        if _selects(mapping(policy.get("spec", "podSelector")), pod)
        and "Ingress" in sequence(policy.get("spec", "policyTypes") or ["Ingress"])
    ]


def _selects(selector: Mapping[str, Any], pod: Pod) -> bool:
    return mapping(selector.get("matchLabels")).items() <= pod.labels.items()


def _admits(policy: Object, pod: Pod, number: int) -> bool:
    for rule in map(mapping, sequence(policy.get("spec", "ingress"))):
        ports = sequence(rule.get("ports"))
        if not ports:
            return True
        for port in map(mapping, ports):
            found = container_port(pod, port.get("port"))
            low, high = port.get("port"), port.get("endPort", port.get("port"))
            if found and found[1] == number:
                return True
            if isinstance(low, int) and isinstance(high, int) and low <= number <= high:
                return True
    return False
