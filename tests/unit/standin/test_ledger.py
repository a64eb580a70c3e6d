"""A restart brings everything back: ids, secrets' values, sessions, and what CloudFormation made."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from standin import services, wire
from standin.clients import Clients
from standin.ledger import Ledger
from standin.stacks import Stacks

from tests.unit.standin.cloud import ACCOUNT, OTHER, REGION, Cloud, federated
from tests.unit.standin.tokens import Issuer


def everything(cloud: Cloud) -> dict[str, Any]:
    """What two accounts hold, without the times of creation."""
    found: dict[str, Any] = {}
    for account in (ACCOUNT, OTHER):
        secrets = cloud.client("secretsmanager", account)
        names = [one["Name"] for one in secrets.list_secrets()["SecretList"]]
        values = [secrets.get_secret_value(SecretId=name) for name in names]
        ec2, route53 = cloud.client("ec2", account), cloud.client("route53", account)
        zones = [zone["Id"] for zone in route53.list_hosted_zones()["HostedZones"]]
        found[account] = {
            "secrets": [(v["ARN"], v["VersionId"], v["SecretString"]) for v in values],
            "vpcs": [vpc["VpcId"] for vpc in ec2.describe_vpcs()["Vpcs"]],
            "subnets": [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"]],
            "groups": [group["GroupId"] for group in ec2.describe_security_groups()["SecurityGroups"]],
            "zones": zones,
            "records": [
                route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"] for zone in zones
            ],
            "roles": [
                (role["Arn"], role["RoleId"]) for role in cloud.client("iam", account).list_roles()["Roles"]
            ],
            "keys": [key["KeyId"] for key in cloud.client("kms", account).list_keys()["Keys"]],
            "repositories": [
                one["repositoryArn"]
                for one in cloud.client("ecr", account).describe_repositories()["repositories"]
            ],
        }
    return found


def fill(cloud: Cloud, account: str) -> None:
    ec2 = cloud.client("ec2", account)
    ec2.describe_vpcs()  # a look comes first in one account
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")
    ec2.create_security_group(VpcId=vpc, GroupName="g", Description="g")
    secrets = cloud.client("secretsmanager", account)
    secrets.create_secret(Name="database-secrets", SecretString="first")
    secrets.put_secret_value(
        SecretId="database-secrets", SecretString=secrets.get_random_password()["RandomPassword"]
    )
    with pytest.raises(ClientError):
        secrets.create_secret(Name="database-secrets", SecretString="refused")
    zone = cloud.client("route53", account).create_hosted_zone(Name="a.test", CallerReference="1")[
        "HostedZone"
    ]["Id"]
    record = {"Name": "x.a.test", "Type": "A", "TTL": 5, "ResourceRecords": [{"Value": "10.0.0.1"}]}
    cloud.client("route53", account).change_resource_record_sets(
        HostedZoneId=zone, ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
    )
    cloud.client("kms", account).create_key()
    cloud.client("ecr", account).create_repository(repositoryName="eks-app")


def test_a_restart_brings_the_same_state_back(cloud: Cloud, cluster: Issuer) -> None:
    fill(cloud, OTHER)
    fill(cloud, ACCOUNT)
    arn = cloud.role("r", federated(cloud.trust(cluster), aud="sts.amazonaws.com"))
    key = cloud.assume(arn, cluster.service_account("main", "x"))
    before = everything(cloud)
    for _ in range(2):
        cloud.start()
        assert everything(cloud) == before
    assert cloud.client("sts", key=key).get_caller_identity()["Arn"].endswith("assumed-role/r/pod")
    cloud.assume(arn, cluster.service_account("main", "x"))  # the issuer's keys are still known
    fresh = cloud.client("secretsmanager").create_secret(Name="later", SecretString="x")["ARN"]
    assert fresh not in str(before)


def test_ids_are_other_ones_elsewhere(tmp_path: Path) -> None:
    """Nobody who reads the sources can tell what a stand-in will draw next."""
    drawn = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        cloud = Cloud(tmp_path / name)
        cloud.start()
        cloud.client("secretsmanager").create_secret(Name="a", SecretString="x")
        drawn.append(cloud.client("secretsmanager").get_random_password()["RandomPassword"])
        cloud.forget()
    assert drawn[0] != drawn[1]


def test_only_changes_are_written_and_only_for_the_owner(cloud: Cloud) -> None:
    cloud.client("secretsmanager").create_secret(Name="a", SecretString="x")
    cloud.client("secretsmanager").get_secret_value(SecretId="a")
    cloud.client("secretsmanager").list_secrets()
    with pytest.raises(ClientError):
        cloud.client("secretsmanager").delete_secret(SecretId="b")
    journal = cloud.state / "journal.jsonl"
    (record,) = map(json.loads, journal.read_text().splitlines())
    assert record["target"] == [ACCOUNT, REGION, "secretsmanager", "CreateSecret"]
    assert not {"authorization", "x-amz-security-token"} & set(record["headers"])
    for path in cloud.state.iterdir():
        assert oct(path.stat().st_mode & 0o777) == "0o600", path.name


def test_a_record_that_a_kill_cut_off_was_never_answered(cloud: Cloud) -> None:
    secrets = cloud.client("secretsmanager")
    secrets.create_secret(Name="a", SecretString="x")
    journal = cloud.state / "journal.jsonl"
    whole = journal.read_bytes()
    with journal.open("ab") as stream:
        stream.write(whole[: len(whole) // 2])
    cloud.start()
    assert [one["Name"] for one in cloud.client("secretsmanager").list_secrets()["SecretList"]] == ["a"]
    cloud.client("secretsmanager").create_secret(Name="b", SecretString="y")
    cloud.start()
    names = [one["Name"] for one in cloud.client("secretsmanager").list_secrets()["SecretList"]]
    assert sorted(names) == ["a", "b"]


def test_what_cannot_be_done_again_is_told(cloud: Cloud) -> None:
    cloud.client("ecr").create_repository(repositoryName="eks-app")
    journal = cloud.state / "journal.jsonl"
    journal.write_text(journal.read_text() * 2)  # the second time it is refused
    cloud.start()
    health = cloud.gate.answer(wire.Request("GET", "/_slipway/health"))
    assert json.loads(health.body) == {
        "replayed": 2, "failed": ["ecr:CreateRepository (record 1): status 400"],
    }  # fmt: skip


class Engine:
    """A CloudFormation in small: every stack is a secret with a password that it draws."""

    def __init__(self, ledger: Ledger) -> None:
        self.clients = Clients(ledger)
        self.ledger = ledger
        self.made: list[tuple[str, float]] = []

    def __call__(self, account: str, region: str, action: str, parameters: dict[str, Any]) -> dict[str, Any]:
        if action == "DescribeStacks":
            return {"Stacks": []}
        secrets = self.clients("secretsmanager", account, region)
        password = secrets.get_random_password()["RandomPassword"]
        name = parameters["StackName"]
        arn = secrets.create_secret(Name=name, SecretString=password)["ARN"]
        if name == "broken":
            raise RuntimeError("half-way")
        self.made.append((arn, self.ledger.now()))
        return {"StackId": arn}


Call = Callable[[str, str], dict[str, Any]]


@pytest.fixture
def engine(tmp_path: Path) -> Callable[[], tuple[Engine, Call]]:
    """Start a ledger with the engine on one folder."""

    def started() -> tuple[Engine, Call]:
        ledger = Ledger(tmp_path)
        made = Engine(ledger)
        stacks = Stacks(made, ledger)
        assert ledger.replay(stacks.again).failed == ()

        def call(action: str, name: str) -> dict[str, Any]:
            body = f"Action={action}&Version=2010-05-15&StackName={name}".encode()
            headers = {"host": "x", "content-type": "application/x-www-form-urlencoded"}
            request = wire.Request("POST", "/", headers=headers, body=body)
            service = services.find(request, "cloudformation")
            return stacks.answer(request, services.understand(request, service, REGION), ACCOUNT)

        return made, call

    return started


def value(engine: Engine, name: str) -> tuple[str, str]:
    found = engine.clients("secretsmanager", ACCOUNT, REGION).get_secret_value(SecretId=name)
    return found["ARN"], found["SecretString"]


def test_what_the_engine_made_is_made_again_with_the_same_passwords(
    cloud: Cloud, engine: Any, tmp_path: Path
) -> None:
    first, call = engine()
    call("CreateStack", "one")
    call("DescribeStacks", "one")
    call("CreateStack", "two")
    before = [value(first, "one"), value(first, "two")]
    assert len((tmp_path / "journal.jsonl").read_text().splitlines()) == 2
    cloud.forget()
    second, _ = engine()
    assert [value(second, "one"), value(second, "two")] == before
    assert second.made == [(arn, pytest.approx(at, abs=0.001)) for arn, at in first.made]


def test_passwords_outlive_an_engine_that_has_changed(
    cloud: Cloud, engine: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A newer image may make its calls in another order: what was drawn is in the journal."""
    first, call = engine()
    call("CreateStack", "one")
    before = value(first, "one")[1]
    cloud.forget()
    ordinary = Engine.__call__

    def newer(self: Engine, account: str, region: str, action: str, parameters: dict[str, Any]) -> Any:
        self.clients("ec2", account, region).create_vpc(CidrBlock="10.0.0.0/16")
        return ordinary(self, account, region, action, parameters)

    monkeypatch.setattr(Engine, "__call__", newer)
    second, _ = engine()
    assert value(second, "one")[1] == before


def test_a_change_that_raised_is_not_written(cloud: Cloud, engine: Any, tmp_path: Path) -> None:
    _, call = engine()
    with pytest.raises(RuntimeError, match="half-way"):
        call("CreateStack", "broken")
    assert not (tmp_path / "journal.jsonl").exists()
