"""external-dns keeps the zone as the Ingresses are, and leaves alone what others made."""

from pathlib import Path

from ci.local import aws
from tests.e2e.environment import Environment, until

INGRESS = """apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: passing}}
spec:
  ingressClassName: traefik
  rules:
  - host: {host}
    http:
      paths:
      - {{path: /, pathType: Prefix, backend: {{service: {{name: main, port: {{name: web}}}}}}}}
"""


def test_the_products_host_is_in_the_zone_with_its_owner(settled: Environment) -> None:
    wiring = settled.settings.wiring
    found = until(lambda: _records(settled, wiring.host) or None, "the host has no record", 90)
    assert found["A"] == ["127.0.0.1"]
    marks = [
        value
        for (name, kind), values in _all(settled).items()
        if kind == "TXT" and wiring.host in name
        for value in values
    ]
    assert marks
    assert all(f"external-dns/owner={wiring.cluster_name}" in mark for mark in marks)


def test_a_host_comes_and_goes_with_its_ingress(settled: Environment, tmp_path: Path) -> None:
    """Two pushes to main; a record that someone else made stays through both."""
    domain = settled.settings.wiring.domain
    host, foreign = f"passing.{domain}", f"foreign.{domain}"
    _change(settled, "CREATE", foreign)
    folder = tmp_path / "operator"
    who = ("-c", "user.name=Operator", "-c", "user.email=operator@slipway.invalid")
    settled.git("clone", "--quiet", settled.repository, str(folder))
    base = folder / "gitops" / "main" / "base"
    (base / "passing.yaml").write_text(INGRESS.format(host=host))
    listed = base / "kustomization.yaml"
    listed.write_text(listed.read_text().replace("resources:\n", "resources:\n- passing.yaml\n"))
    settled.git("add", "--all", cwd=folder)
    settled.git(*who, "commit", "--quiet", "--message", "a second host", cwd=folder)
    settled.git("push", "--quiet", "origin", "HEAD:main", cwd=folder, login="git-creds")
    try:
        until(lambda: _records(settled, host).get("A"), "the second host has no record", 120)
    finally:
        settled.git(*who, "revert", "--no-edit", "HEAD", cwd=folder)
        settled.git("push", "--quiet", "origin", "HEAD:main", cwd=folder, login="git-creds")
    until(lambda: None if _records(settled, host) else True, "the record stays without its Ingress", 120)
    assert _records(settled, foreign) == {"A": ["192.0.2.1"]}
    assert _records(settled, settled.settings.wiring.host)["A"] == ["127.0.0.1"]
    _change(settled, "DELETE", foreign)


def _zone(environment: Environment) -> str:
    domain = f"{environment.settings.wiring.domain}."
    zones = aws.client(environment.settings, "route53").list_hosted_zones()["HostedZones"]
    (found,) = [zone["Id"] for zone in zones if zone["Name"] == domain]
    return str(found)


def _all(environment: Environment) -> dict[tuple[str, str], list[str]]:
    """Values by name, without the dot at its end, and type."""
    answer = aws.client(environment.settings, "route53").list_resource_record_sets(
        HostedZoneId=_zone(environment)
    )
    return {
        (record["Name"].rstrip("."), record["Type"]): [value["Value"] for value in record["ResourceRecords"]]
        for record in answer["ResourceRecordSets"]
    }


def _records(environment: Environment, host: str) -> dict[str, list[str]]:
    """Addresses by type of a host."""
    found = _all(environment)
    return {kind: values for (name, kind), values in found.items() if name == host and kind != "TXT"}


def _change(environment: Environment, action: str, name: str) -> None:
    record = {"Name": name, "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}
    aws.client(environment.settings, "route53").change_resource_record_sets(
        HostedZoneId=_zone(environment),
        ChangeBatch={"Changes": [{"Action": action, "ResourceRecordSet": record}]},
    )
