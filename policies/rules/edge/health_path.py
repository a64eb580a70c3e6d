"""Load balancers that ask for a path nobody answers."""

from policies.model.system import PRODUCT, System
from policies.rule import Found

ID = "EDGE12"
TITLE = "The load balancer's health check asks for a path that nginx does not answer"
WHY = "Every target is unhealthy, and the load balancer answers 503 although all pods are ready."
FIX = "Set alb.ingress.kubernetes.io/healthcheck-path to /health_check, as in app/web/nginx.conf."
_INGRESS = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: main
  namespace: main
  annotations: {alb.ingress.kubernetes.io/healthcheck-path: /health_check}
spec: {ingressClassName: alb}
"""
_NGINX = {"app/web/nginx.conf": "location = /health_check {\n    return 200;\n}\n"}
GOOD = {"rendered/production/gitops/main": _INGRESS, **_NGINX}
BAD = {"rendered/production/gitops/main": _INGRESS.replace("/health_check", "/healthz"), **_NGINX}

_PATH = "alb.ingress.kubernetes.io/healthcheck-path"


def check(system: System) -> Found:
    """Try the annotation, by default `/`, against nginx's locations."""
    for environment in system.environments:
        for ingress in environment.kind("Ingress", "networking.k8s.io"):
            path = ingress.annotations.get(_PATH)
            if ingress.namespace != PRODUCT:
                continue  # behind it is another server than nginx
            if ingress.get("spec", "ingressClassName") != "alb" and path is None:
                continue
            if system.product.locations and not system.product.web_answers(str(path or "/")):
                yield ingress.at("metadata", "annotations", _PATH), f"nginx does not answer {path or '/'}"
