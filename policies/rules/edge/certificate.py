"""Hosts without a certificate."""

from policies.model.infra import Resource
from policies.model.shape import mapping, sequence, texts
from policies.model.system import System
from policies.model.traffic import routes
from policies.rule import Found

ID = "EDGE07"
TITLE = "No certificate in infra covers an Ingress's host, or its validation is in another zone"
WHY = "The load balancer finds no certificate for the host and makes no HTTPS listener: the product is unreachable."
FIX = "Name the host in the AWS::CertificateManager::Certificate, validated by DNS in the zone of infra/templates/dns.yaml."
_INGRESS = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: main, namespace: main}
spec: {rules: [{host: a.example.com, http: {paths: [{backend: {service: {name: main, port: {number: 80}}}}]}}]}
"""
_DNS = """\
Resources:
  Zone: {Type: AWS::Route53::HostedZone, Properties: {Name: example.com}}
  Certificate: {Type: AWS::CertificateManager::Certificate, Properties: {DomainName: a.example.com}}
"""
GOOD = {"rendered/local/gitops/main": _INGRESS, "infra/templates/dns.yaml": _DNS}
BAD = {**GOOD, "infra/templates/dns.yaml": _DNS.replace("DomainName: a.", "DomainName: b.")}


def check(system: System) -> Found:
    """Match every host with the certificates' names; a wildcard covers one label."""
    for environment in system.environments:
        certificates = environment.infra.of("AWS::CertificateManager::Certificate")
        for route in routes(environment):
            if environment.infra.resources and not any(_covers(each, route.host) for each in certificates):
                place = certificates[0].at("DomainName") if certificates else route.host_at
                yield place, f"no certificate covers {route.host}"
        zones = {
            environment.infra.reference(zone) for zone in environment.infra.of("AWS::Route53::HostedZone")
        }
        for certificate in certificates:
            for number, option in enumerate(
                map(mapping, sequence(certificate.properties.get("DomainValidationOptions")))
            ):
                zone = option.get("HostedZoneId")
                if zone is not None and zone not in zones:
                    yield (
                        certificate.at("DomainValidationOptions", number),
                        f"{option.get('DomainName')} is validated in another zone",
                    )


def _covers(certificate: Resource, host: str) -> bool:
    names = [
        *texts(certificate.properties.get("DomainName")),
        *texts(certificate.properties.get("SubjectAlternativeNames")),
    ]
    return any(
        host == name or (name.startswith("*.") and host.partition(".")[2] == name[2:]) for name in names
    )
