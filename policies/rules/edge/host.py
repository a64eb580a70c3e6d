"""Hosts outside the zone."""

from policies.model.shape import sequence, texts
from policies.model.system import PRODUCT, System
from policies.model.traffic import routes
from policies.rule import Found

ID = "EDGE06"
TITLE = "An Ingress has no host, or one that the environment's zone does not have"
WHY = "external-dns leaves such a host alone, so the name never resolves; without a host, any name reaches the product."
FIX = "Let gitops/wiring/fill set the host, and let domain in the wiring file be the hosted zone's name."
_INGRESS = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: main, namespace: main}
spec: {rules: [{host: a.example.com, http: {paths: [{backend: {service: {name: main, port: {number: 80}}}}]}}]}
"""
_WIRING = {"gitops/wiring/local/wiring.yaml": "data: {domain: example.com, host: a.example.com}\n"}
GOOD = {"rendered/local/gitops/main": _INGRESS, **_WIRING}
BAD = {"rendered/local/gitops/main": _INGRESS.replace("a.example.com", "a.example.org"), **_WIRING}


def check(system: System) -> Found:
    """Compare hosts with the wiring file and the template's zones."""
    for environment in system.environments:
        domain, host = environment.wiring.get("domain"), environment.wiring.get("host")
        for route in routes(environment):
            if host and route.ingress.namespace == PRODUCT and route.host != host:
                yield route.host_at, f"the host is {route.host or 'any'}, the wiring file says {host}"
            for zone in environment.infra.zones:
                if not route.host.endswith(f".{zone}"):
                    yield route.host_at, f"{route.host or 'any host'} is not in the zone {zone}"
            for number, entry in enumerate(sequence(route.ingress.get("spec", "tls"))):
                names = texts(entry.get("hosts")) if isinstance(entry, dict) else []
                if route.host not in names:
                    place = route.ingress.at("spec", "tls", number)
                    yield place, f"the certificate is asked for {', '.join(names)}, not for {route.host}"
        if domain and host and not host.endswith(f".{domain}"):
            yield environment.wiring_at("host"), f"{host} is not in {domain}"
