"""Two Ingresses for one path."""

from policies.model.system import System
from policies.model.traffic import Route, routes
from policies.rule import Found

ID = "EDGE13"
TITLE = "Two Ingresses have the same host and path"
WHY = "Which of them answers depends on the controller and on which was made first."
FIX = "Keep one, or give each a path of its own."
_A = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: a, namespace: main}
spec: {rules: [{host: a.example.com, http: {paths: [{path: /, backend: {service: {name: m, port: {number: 80}}}}]}}]}
"""
_B = _A.replace("name: a,", "name: b,")
GOOD = {"rendered/local/gitops/main": _A + "---\n" + _B.replace("path: /,", "path: /b,")}
BAD = {"rendered/local/gitops/main": _A + "---\n" + _B}


def check(system: System) -> Found:
    """Collect routes by host and path."""
    for environment in system.environments:
        taken: dict[tuple[str, str], Route] = {}
        for route in routes(environment):
            first = taken.setdefault((route.host, route.path), route)
            if first is not route:
                yield route.position, f"{first.ingress.label} has {route.host}{route.path} too"
