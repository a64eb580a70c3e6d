"""What several tests stand on."""

from typing import Any

from tests.unit.standin.cloudformation.sandbox import template

VPC = {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16", "EnableDnsHostnames": True}}


def subnet(number: int, zone: str) -> dict[str, Any]:
    return {
        "Type": "AWS::EC2::Subnet",
        "Properties": {
            "VpcId": {"Ref": "Vpc"},
            "CidrBlock": f"10.0.{number}.0/24",
            "AvailabilityZone": f"ap-northeast-1{zone}",
        },
    }


NETWORK: dict[str, Any] = {"Vpc": VPC, "A": subnet(0, "a"), "B": subnet(1, "c")}
SUBNETS = [{"Ref": "A"}, {"Ref": "B"}]


def trust(service: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def role(service: str = "ec2.amazonaws.com", **properties: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {"AssumeRolePolicyDocument": trust(service), **properties},
    }


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties}


def on_network(**resources: Any) -> str:
    return template({**NETWORK, **resources})
