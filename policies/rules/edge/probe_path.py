"""Probes that ask for a path nobody answers."""

from policies.model.objects import Container, split_image
from policies.model.shape import mapping, sequence
from policies.model.system import System
from policies.rule import Found

ID = "EDGE05"
TITLE = "A probe asks for a path or a port that the container does not answer"
WHY = "The pod never becomes ready, or is restarted for ever; the rollout ends at its deadline."
FIX = "Use a path of ledger/api.py (/readyz, /healthz) or of nginx.conf (/health_check), and the port's name."
_POD = """\
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: main}
spec:
  containers:
  - name: app
    image: r/eks-app:v1.0.0
    ports: [{name: app, containerPort: 8080}]
    readinessProbe: {httpGet: {path: /readyz, port: app}}
"""
_ROUTES = {"app/ledger/api.py": 'routes = [Route("/readyz", readyz)]\n'}
GOOD = {"rendered/local/gitops/main": _POD, **_ROUTES}
BAD = {"rendered/local/gitops/main": _POD.replace("/readyz", "/ready"), **_ROUTES}

_PROBES = ("readinessProbe", "livenessProbe", "startupProbe")


def check(system: System) -> Found:
    """Try each probe of our own pods against the program's routes and the container's ports."""
    for _, pod in system.pods():
        if not pod.owner.ours:
            continue
        for container in pod.containers:
            for probe in _PROBES:
                request = container.get(probe, "httpGet") or container.get(probe, "tcpSocket")
                if not isinstance(request, dict):
                    continue
                where = (*container.path, probe, "httpGet")
                if not _has_port(container, request.get("port")):
                    yield (
                        pod.at(*where, "port"),
                        f"{probe} of {container.name} asks port {request.get('port')}",
                    )
                path = request.get("path")
                if isinstance(path, str) and not _answers(system, container, path):
                    yield pod.at(*where, "path"), f"{container.name} does not answer {path}"


def _has_port(container: Container, port: object) -> bool:
    ports = [mapping(each) for each in sequence(container.get("ports"))]
    return any(port in (each.get("name"), each.get("containerPort")) for each in ports)


def _answers(system: System, container: Container, path: str) -> bool:
    image = split_image(container.image)[0].rpartition("/")[2]
    if image == "eks-app":
        return path in system.product.routes
    return system.product.web_answers(path) if image == "eks-web" else True
