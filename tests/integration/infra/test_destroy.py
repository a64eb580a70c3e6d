"""Destroy, with everything in its way that controllers and services leave."""

import json
from typing import Any

import pytest

from ci.problem import Problem
from infra.deploy import Done
from infra.destroy import Removed
from infra.remains import Remnant
from tests.integration.infra.conftest import Account, account
from tests.integration.infra.world import World

CLUSTER = "slipway-production"
MANIFEST = json.dumps({
    "schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
    "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "size": 1, "digest": "sha256:" + "a" * 64},
    "layers": [],
})  # fmt: skip


def what(events: list[Any]) -> list[str]:
    return [event.what for event in events if isinstance(event, Removed)]


def test_it_refuses_what_is_protected_until_told_twice(standing: Account) -> None:
    standing.clients("ecr").put_image(repositoryName="eks-app", imageManifest=MANIFEST, imageTag="v1.0.0")
    with pytest.raises(Problem) as caught:
        standing.destroy()
    for reason in ("stack slipway-production-network is protected", "database ", "1 images of eks-app"):
        assert reason in caught.value.what
    assert "--yes --and-data" in caught.value.fix
    assert standing.drift() == []


def test_a_value_in_git_credentials_is_protected(standing: Account) -> None:
    with pytest.raises(Problem) as caught:
        standing.destroy()
    assert "git-credentials" not in caught.value.what
    standing.clients("secretsmanager").put_secret_value(SecretId="git-credentials", SecretString="{}")
    with pytest.raises(Problem, match="secret git-credentials"):
        standing.destroy()


def in_the_way(account: Account) -> None:
    """What the controllers of a cluster that served have left."""
    told = account.outputs()
    ec2, elb = account.clients("ec2"), account.clients("elbv2")
    vpc, subnets = told["network"]["VpcId"], told["network"]["PublicSubnetIds"].split(",")
    tag = [{"Key": "elbv2.k8s.aws/cluster", "Value": CLUSTER}]
    group = ec2.create_security_group(
        GroupName="k8s-traffic", Description="shared backend", VpcId=vpc,
        TagSpecifications=[{"ResourceType": "security-group", "Tags": tag}],
    )["GroupId"]  # fmt: skip
    # as the controller does: nodes let the load balancer in, by a rule that names its group
    ec2.authorize_security_group_ingress(
        GroupId=told["cluster"]["NodeSecurityGroupId"],
        IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "UserIdGroupPairs": [{"GroupId": group}]}
        ],
    )
    elb.create_load_balancer(Name="k8s-main", Subnets=subnets, SecurityGroups=[group], Tags=tag)
    elb.create_target_group(
        Name="k8s-main-web", Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip", Tags=tag
    )
    ec2.create_network_interface(
        SubnetId=told["network"]["PrivateSubnetIds"].split(",")[0], Description="aws-K8S-i-0123",
        TagSpecifications=[{"ResourceType": "network-interface",
                            "Tags": [{"Key": "cluster.k8s.amazonaws.com/name", "Value": CLUSTER}]}],
    )  # fmt: skip
    records = [
        ("ledger.slipway.example.com", "A", "192.0.2.1"),
        ("cname-ledger.slipway.example.com", "TXT", '"x"'),
    ]
    account.clients("route53").change_resource_record_sets(
        HostedZoneId=told["dns"]["HostedZoneId"],
        ChangeBatch={"Changes": [
            {"Action": "CREATE", "ResourceRecordSet": {"Name": name, "Type": kind, "TTL": 60, "ResourceRecords": [{"Value": value}]}}
            for name, kind, value in records
        ]},
    )  # fmt: skip
    account.clients("ecr").put_image(repositoryName="eks-app", imageManifest=MANIFEST, imageTag="v1.0.0")


def test_everything_goes_in_order_and_the_final_snapshot_stays(deployed: Account, world: World) -> None:
    local = account(world, "local")
    local.apply()
    in_the_way(deployed)
    events = deployed.destroy(with_data=True)
    assert [event.stack.rsplit("-", 1)[-1] for event in events if isinstance(event, Done)] == [
        "events", "identity", "dns", "registry", "database", "cluster", "network",
    ]  # fmt: skip
    removed = what(events)
    for thing in (
        "load balancer k8s-main", "target group k8s-main-web", "security group k8s-traffic",
        "record ledger.slipway.example.com. A", "record cname-ledger.slipway.example.com. TXT", "1 images of eks-app",
    ):  # fmt: skip
        assert thing in removed
    assert [thing for thing in removed if thing.startswith("network interface eni-")]
    kept = [event for event in events if isinstance(event, Remnant)]
    assert all(remnant.meant for remnant in kept)
    assert [remnant.why for remnant in kept if ":snapshot:" in remnant.name] == [
        "the database's final snapshot"
    ]
    assert deployed.clients("cloudformation").describe_stacks()["Stacks"] == []
    assert local.drift() == []


def test_it_can_be_run_again_and_the_environment_made_anew(standing: Account) -> None:
    standing.destroy(with_data=True)
    assert [event for event in standing.destroy() if not isinstance(event, Remnant)] == []
    assert set(standing.apply().values()) == {"created"}
    assert standing.drift() == []


def test_what_is_left_is_named(deployed: Account) -> None:
    """Something of ours that no stack knows and no step removes."""
    arn = deployed.clients("sns").create_topic(
        Name="forgotten", Tags=[{"Key": "slipway:environment", "Value": "production"}]
    )["TopicArn"]
    with pytest.raises(Problem, match=f"1 things are left: {arn}"):
        deployed.destroy(with_data=True)


def test_an_environment_that_is_not_there(production: Account) -> None:
    assert production.destroy() == []
