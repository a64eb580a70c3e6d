"""external-dns that does not see the Ingress, or sees too much."""

from collections.abc import Iterator, Mapping

from policies.model.system import Environment, System
from policies.model.traffic import needing_records
from policies.rule import Found

ID = "EDGE14"
TITLE = "The filter of external-dns does not cover the Ingress's host, or is not held to the zone"
WHY = "A filter that does not fit leaves the name without record; none at all lets it change every zone of the account."
FIX = "Fill --domain-filter and --txt-owner-id from the wiring file; name the Ingress's namespace and source."
_TREE = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: external-dns, namespace: main}
spec:
  template:
    spec:
      containers:
      - name: external-dns
        image: registry.k8s.io/external-dns/external-dns:v0.21.0
        args: [--domain-filter=example.com, --txt-owner-id=a, --source=ingress, --policy=sync]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: a, namespace: main}
spec: {rules: [{host: a.example.com, http: {paths: [{backend: {service: {name: m, port: {number: 80}}}}]}}]}
"""
GOOD = {"rendered/local/gitops/main": _TREE}
BAD = {"rendered/local/gitops/main": _TREE.replace("filter=example.com", "filter=example.org")}

_NAME = "external-dns"


def check(system: System) -> Found:
    """Read the arguments of the container external-dns."""
    for environment, pod in system.pods():
        for container in pod.containers:
            if container.name == _NAME:
                for fault in _faults(environment, _arguments(container.get("args"))):
                    yield pod.at(*container.path, "args"), fault


def _faults(environment: Environment, given: Mapping[str, list[str]]) -> Iterator[str]:
    for needed in ("domain-filter", "txt-owner-id", "policy"):
        if not any(given.get(needed, ())):
            yield f"external-dns has no --{needed}"
    if "ingress" not in given.get("source", ()):
        yield "external-dns does not look at Ingresses"
    for route in needing_records(environment):
        zones = given.get("domain-filter", [])
        if zones and not any(route.host.endswith(f".{zone}") for zone in zones):
            yield f"external-dns leaves {route.host} alone: it is outside {', '.join(zones)}"
        if route.ingress.namespace not in given.get("namespace", [route.ingress.namespace]):
            yield f"external-dns does not look into {route.ingress.namespace}"


def _arguments(args: object) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for text in args if isinstance(args, list) else ():
        name, _, value = str(text).removeprefix("--").partition("=")
        found.setdefault(name, []).append(value)
    return found
