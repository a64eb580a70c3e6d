"""What controllers leave, removed by itself: what belongs to others stays."""

import re
import time

import pytest

from ci.problem import Problem
from infra import leftovers
from infra.cloudformation import Pace
from tests.integration.infra.conftest import PACE, Account

CLUSTER = "slipway-production"


def group(account: Account, vpc: str, name: str, tag: str = "", value: str = CLUSTER) -> str:
    tags = [{"ResourceType": "security-group", "Tags": [{"Key": tag, "Value": value}]}] if tag else []
    made = account.clients("ec2").create_security_group(
        GroupName=name, Description=name, VpcId=vpc, TagSpecifications=tags
    )
    return str(made["GroupId"])


def test_security_groups_go_and_rules_that_name_them_first(production: Account) -> None:
    ec2 = production.clients("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    gone = group(production, vpc, "k8s-traffic", leftovers.CONTROLLER_TAG)
    stays = group(production, vpc, "by-hand")
    another = group(production, vpc, "k8s-of-another", leftovers.CONTROLLER_TAG, "another-cluster")
    for source in (gone, another):
        ec2.authorize_security_group_ingress(GroupId=stays, IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "UserIdGroupPairs": [{"GroupId": source}]}
        ])  # fmt: skip
    removed = list(leftovers.security_groups(production.clients, vpc, CLUSTER, PACE))
    assert removed == ["security group k8s-traffic"]
    (left,) = ec2.describe_security_groups(GroupIds=[stays])["SecurityGroups"]
    named = [pair["GroupId"] for rule in left["IpPermissions"] for pair in rule["UserIdGroupPairs"]]
    assert named == [another]


def test_load_balancers_of_another_cluster_stay(production: Account) -> None:
    ec2, elb = production.clients("ec2"), production.clients("elbv2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(
            VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"ap-northeast-1{zone}"
        )
        for number, zone in enumerate("ac")
    ]
    for name, cluster in (("ours", CLUSTER), ("theirs", "another-cluster")):
        made = elb.create_load_balancer(
            Name=name, Subnets=[subnet["Subnet"]["SubnetId"] for subnet in subnets],
            Tags=[{"Key": leftovers.CONTROLLER_TAG, "Value": cluster}],
        )  # fmt: skip
        elb.modify_load_balancer_attributes(
            LoadBalancerArn=made["LoadBalancers"][0]["LoadBalancerArn"],
            Attributes=[{"Key": "deletion_protection.enabled", "Value": "true"}],
        )
    assert list(leftovers.load_balancers(production.clients, CLUSTER, PACE)) == ["load balancer ours"]
    assert [item["LoadBalancerName"] for item in elb.describe_load_balancers()["LoadBalancers"]] == ["theirs"]


def test_what_does_not_go_is_named_after_its_time(production: Account) -> None:
    """An interface of a load balancer that AWS has not given back."""
    ec2 = production.clients("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    made = ec2.create_network_interface(SubnetId=subnet, Description="ELB app/k8s-main/1")
    name = made["NetworkInterface"]["NetworkInterfaceId"]
    hurried = Pace(every=0.01, now=lambda: time.monotonic() * 1000)
    with pytest.raises(Problem, match=re.escape(f"network interfaces are still there after 15 min: {name}")):
        list(leftovers.network_interfaces(production.clients, vpc, CLUSTER, hurried))
