"""From a host to a container's port: Ingress, Service, pod."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from policies.finding import Position
from policies.model.objects import Container, Object, Pod
from policies.model.shape import dig, mapping, sequence
from policies.model.system import Environment


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """One path of an Ingress."""

    ingress: Object
    host: str
    path: str
    service: str
    port: Any
    position: Position
    host_at: Position


def routes(environment: Environment) -> Iterator[Route]:
    """Every path of every Ingress."""
    for ingress in environment.kind("Ingress", "networking.k8s.io"):
        for number, rule in enumerate(sequence(ingress.get("spec", "rules"))):
            for index, path in enumerate(sequence(dig(rule, "http", "paths"))):
                backend = mapping(dig(path, "backend", "service"))
                port = mapping(backend.get("port"))
                where = ("spec", "rules", number, "http", "paths", index, "backend", "service")
                yield Route(
                    ingress, str(dig(rule, "host") or ""), str(dig(path, "path") or "/"),
                    str(backend.get("name")), port.get("name", port.get("number")),
                    ingress.at(*where), ingress.at("spec", "rules", number, "host"),
                )  # fmt: skip


HOSTNAME = "external-dns.alpha.kubernetes.io/hostname"
"""Annotation with further hosts, separated by commas, that external-dns gives the Ingress's address."""


def needing_records(environment: Environment) -> list[Route]:
    """The routes whose host gets its record from their own Ingress, and not from another one's annotation."""
    borrowed = {
        host.strip()
        for ingress in environment.kind("Ingress", "networking.k8s.io")
        for host in str(ingress.annotations.get(HOSTNAME) or "").split(",")
    }
    return [route for route in routes(environment) if route.host not in borrowed]


def service_of(environment: Environment, route: Route) -> Object | None:
    """The Service that a route names."""
    return environment.find("Service", route.ingress.namespace, route.service)


def service_ports(service: Object) -> list[Mapping[str, Any]]:
    """The ports of a Service."""
    return [mapping(port) for port in sequence(service.get("spec", "ports"))]


def service_port(service: Object, port: Any) -> Mapping[str, Any] | None:
    """The port of a Service by name or number."""
    field = "name" if isinstance(port, str) else "port"
    return next((each for each in service_ports(service) if each.get(field) == port), None)


def pods_of(environment: Environment, service: Object) -> list[Pod]:
    """The pods that a Service selects."""
    wanted = mapping(service.get("spec", "selector"))
    return [
        pod
        for pod in environment.pods_in(service.namespace)
        if wanted and wanted.items() <= pod.labels.items()
    ]


def container_port(pod: Pod, target: Any) -> tuple[Container, int] | None:
    """The container and number that a target port, by name or number, means in a pod."""
    for container in pod.containers:
        for port in map(mapping, sequence(container.get("ports"))):
            number = port.get("containerPort")
            if isinstance(number, int) and target in (port.get("name"), number):
                return container, number
    return None


def target_of(port: Mapping[str, Any]) -> Any:
    """A Service port's target: by default its own number."""
    return port.get("targetPort", port.get("port"))
