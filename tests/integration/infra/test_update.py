"""Every parameter of production, changed in a deployment that stands: what the plan says, and that it comes true."""

from dataclasses import fields
from ipaddress import IPv4Network
from typing import Any

import pytest

from ci.problem import Problem
from infra.parameters import SECTIONS
from tests.integration.infra.conftest import Account

Case = tuple[Any, set[tuple[str, str]]]
DESTRUCTIVE = ("Remove", "Replace", "May replace")


CASES: dict[tuple[str, str], Case] = {
    ("network", "nat_gateways"): ("single", {
        ("NatGatewayB", "Remove"), ("NatGatewayC", "Remove"), ("NatAddressB", "Remove"), ("NatAddressC", "Remove"),
        ("PrivateRouteB", "Modify"), ("PrivateRouteC", "Modify"),
    }),
    ("network", "endpoints"): (False, {
        (name, "Remove") for name in ("EndpointSecurityGroup", "S3Endpoint", "EcrApiEndpoint", "EcrDkrEndpoint",
                                      "StsEndpoint", "SecretsManagerEndpoint")
    }),
    ("cluster", "kube_proxy"): ("v1.35.1-eksbuild.1", {("KubeProxy", "Modify")}),
    ("cluster", "version"): ("1.36", {("Cluster", "Modify"), ("Nodes", "Modify"), ("KubeProxy", "Modify")}),
    ("cluster", "administrator"): ("role/platform", {("AdministratorAccess", "Replace")}),
    ("cluster", "api_cidrs"): ((IPv4Network("198.51.100.0/24"),), {("Cluster", "Modify")}),
    ("cluster", "instance_types"): (("m7i.xlarge",), {("Nodes", "Replace")}),
    ("cluster", "nodes_min"): (4, {("Nodes", "Modify")}),
    ("cluster", "nodes_max"): (9, {("Nodes", "Modify")}),
    ("cluster", "disk_gib"): (60, {("NodeTemplate", "Modify"), ("Nodes", "Modify")}),
    ("cluster", "vpc_cni"): ("v1.21.2-eksbuild.1", {("VpcCni", "Modify")}),
    ("cluster", "coredns"): ("v1.13.3-eksbuild.1", {("Coredns", "Modify")}),
    ("cluster", "log_days"): (30, {("ControlPlaneLogs", "Modify")}),
    ("database", "name"): ("ledger", {("Instance", "Replace"), ("SecretAttachment", "Modify")}),
    ("database", "port"): (5433, {("SecurityGroup", "Modify"), ("Instance", "Modify")}),
    ("database", "version"): ("15.20", {("Instance", "Modify")}),
    ("database", "instance_class"): ("db.m7g.xlarge", {("Instance", "Modify")}),
    ("database", "storage_gib"): (60, {("Instance", "Modify")}),
    ("database", "storage_max_gib"): (300, {("Instance", "Modify")}),
    ("database", "backup_days"): (30, {("Instance", "May replace")}),
    ("database", "multi_az"): (False, {("Instance", "May replace")}),
    ("registry", "untagged_days"): (7, {("App", "Modify"), ("Web", "Modify"), ("Migration", "Modify")}),
    ("identity", "github_owner_id"): ("1", {("Github", "Modify")}),
    ("identity", "github_repository_id"): ("2", {("Github", "Modify")}),
    ("identity", "migrator_user"): ("migrations", {("DbMigrator", "Modify")}),
    ("", "protected"): (False, {("Cluster", "Modify"), ("Instance", "Modify")}),
}  # fmt: skip

REFUSED: dict[tuple[str, str], Any] = {
    ("network", "cidr"): IPv4Network("10.99.0.0/16"),
    ("network", "zones"): ("ap-northeast-1a", "ap-northeast-1d", "ap-northeast-1c"),
    ("network", "public_subnets"): tuple(IPv4Network(f"10.20.{number}.0/24") for number in (250, 251, 252)),
    ("network", "private_subnets"): tuple(IPv4Network(f"10.20.{number}.0/20") for number in (0, 16, 32)),
    ("database", "user"): "ledger",
}
"""What cannot change under what stands on it: the plan shows the replacements, and nothing happens unasked."""


def test_no_parameter_is_forgotten() -> None:
    every = {(section, item.name) for section, kind in SECTIONS.items() for item in fields(kind)}
    assert set(CASES) | set(REFUSED) == every | {("", "protected")}


@pytest.mark.parametrize(("section", "name"), list(CASES))
def test_a_change_is_planned_and_comes_true(standing: Account, section: str, name: str) -> None:
    value, expected = CASES[section, name]
    more = {"kube_proxy": "v1.36.0-eksbuild.1"} if (section, name) == ("cluster", "version") else {}
    standing.change(section, **{name: value}, **more)
    planned = {(row.resource, row.action) for item in standing.plan() for row in item.rows}
    assert expected <= planned
    assert {row for row in planned - expected if row[1] in DESTRUCTIVE} == set()
    standing.apply()
    assert {item.state for item in standing.plan()} == {"unchanged"}
    assert standing.drift() == []


@pytest.mark.parametrize(("section", "name"), list(REFUSED))
def test_a_change_of_the_foundations_shows_its_replacements(
    standing: Account, section: str, name: str
) -> None:
    before = standing.environment
    standing.change(section, **{name: REFUSED[section, name]})
    replaced = {row.resource for item in standing.plan() for row in item.rows if row.action == "Replace"}
    assert replaced
    with pytest.raises(Problem, match="which the plan did not show"):
        standing.apply(agreed=set())
    standing.environment = before
