"""external-dns itself, with the rights it has here: the host appears in the zone and goes with its Ingress."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from ci.settings import Settings
from tests.integration.gitops.apiserver import ApiServer
from tests.integration.gitops.conftest import Rendered
from tests.integration.gitops.controllers import (
    Controller,
    apply_all,
    container,
    kubeconfig,
    moto,
    running,
    token,
    until,
)  # fmt: skip
from tests.ports import free_range

INGRESS = "/apis/networking.k8s.io/v1/namespaces/main/ingresses/main"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dns")


@pytest.fixture(scope="module")
def aws(folder: Path) -> Iterator[str]:
    with moto(folder) as url:
        yield url


@pytest.fixture(scope="module")
def zones(aws: str, configuration: Settings) -> dict[str, str]:
    """Two hosted zones, by name: the product's, and one that is none of external-dns's business."""
    client = route53(aws)
    names = (f"{configuration.wiring.domain}.", "elsewhere.example.")
    return {
        name: client.create_hosted_zone(Name=name, CallerReference=name)["HostedZone"]["Id"] for name in names
    }


@pytest.fixture(scope="module")
def external_dns(
    api: ApiServer, rendered: Rendered, configuration: Settings, folder: Path, aws: str, zones: dict[str, str]
) -> Iterator[Controller]:
    """external-dns as its Deployment runs it, with the variables that admission adds."""
    documents = rendered["platform/external-dns", "local"]
    apply_all(api, documents, "ServiceAccount", "Role", "RoleBinding")
    (deployment,) = [d for d in documents if d["kind"] == "Deployment"]
    arguments, env = container(deployment)
    assert set(env.values()) == {"http://slipway-aws:4566"}
    metrics = free_range(1)
    (folder / "token").write_text(token(api, "main", "account-for-external-dns", "sts.amazonaws.com"))
    (account,) = [d for d in documents if d["kind"] == "ServiceAccount"]
    variables = dict.fromkeys(env, aws) | {
        "AWS_REGION": configuration.wiring.region,
        "AWS_ROLE_ARN": account["metadata"]["annotations"]["eks.amazonaws.com/role-arn"],
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(folder / "token"),
    }
    access = kubeconfig(api, "main", "account-for-external-dns", folder)
    own = [*arguments, f"--metrics-address=127.0.0.1:{metrics}", f"--kubeconfig={access}"]
    with running(configuration, "external-dns", own, variables, folder) as controller:
        yield controller


def route53(url: str) -> Any:
    return boto3.client(
        "route53", "us-east-1", endpoint_url=url, aws_access_key_id="a", aws_secret_access_key="a"
    )


def records(url: str, zone: str) -> dict[tuple[str, str], list[str]]:
    """Values by name and type, without the zone's own."""
    found = route53(url).list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    return {
        (each["Name"], each["Type"]): [value["Value"] for value in each["ResourceRecords"]]
        for each in found
        if each["Type"] not in ("NS", "SOA")
    }


def publish(api: ApiServer, rendered: Rendered) -> None:
    """The Ingress, with the status that Traefik gives it."""
    apply_all(api, rendered["main", "local"], "Ingress")
    status = {"status": {"loadBalancer": {"ingress": [{"ip": "127.0.0.1"}]}}}
    answer = api.http.patch(
        f"{INGRESS}/status", json=status, headers={"Content-Type": "application/merge-patch+json"}
    )
    assert answer.status_code == 200, answer.text


def test_the_host_appears_with_its_owner_and_goes_with_the_ingress(
    api: ApiServer, rendered: Rendered, configuration: Settings, external_dns: Controller, aws: str,
    zones: dict[str, str],
) -> None:  # fmt: skip
    host = f"{configuration.wiring.host}."
    zone = zones[f"{configuration.wiring.domain}."]
    other = {
        "Name": f"other.{configuration.wiring.domain}.", "Type": "A", "TTL": 60,
        "ResourceRecords": [{"Value": "192.0.2.1"}],
    }  # fmt: skip
    route53(aws).change_resource_record_sets(
        HostedZoneId=zone, ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": other}]}
    )
    publish(api, rendered)
    until(lambda: (host, "A") in records(aws, zone) or None, lambda: external_dns.said, seconds=60)
    found = records(aws, zone)
    assert found[host, "A"] == ["127.0.0.1"]
    marks = [value for (name, kind), values in found.items() if kind == "TXT" for value in values]
    assert marks
    assert all(f"external-dns/owner={configuration.wiring.cluster_name}" in mark for mark in marks)

    api.http.delete(INGRESS)
    until(lambda: None if (host, "A") in records(aws, zone) else True, lambda: external_dns.said, seconds=60)
    time.sleep(1)
    assert records(aws, zone) == {(other["Name"], "A"): ["192.0.2.1"]}, "what others made stays"
    assert records(aws, zones["elsewhere.example."]) == {}
