import json
from typing import Any

import pytest
from standin.cloudformation import drift
from standin.cloudformation.state import Made, now

from tests.unit.standin.cloudformation.sandbox import Sandbox, template

GROUP = template(
    {
        "Vpc": {
            "Type": "AWS::EC2::VPC",
            "Properties": {"CidrBlock": "10.0.0.0/16", "EnableDnsHostnames": True},
        },
        "Group": {
            "Type": "AWS::EC2::SecurityGroup",
            "Properties": {
                "VpcId": {"Ref": "Vpc"},
                "GroupDescription": "g",
                "SecurityGroupIngress": [
                    {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "10.0.0.0/8"}
                ],
            },
        },
    }
)


def test_none(sandbox: Sandbox) -> None:
    sandbox.deploy(GROUP, tags={"a": "b"})
    stack = sandbox.cloudformation.describe_stacks(StackName="stack")["Stacks"][0]
    assert stack["DriftInformation"]["StackDriftStatus"] == "NOT_CHECKED"
    assert sandbox.drift() == {}
    stack = sandbox.cloudformation.describe_stacks(StackName="stack")["Stacks"][0]
    assert stack["DriftInformation"]["StackDriftStatus"] == "IN_SYNC"


def test_changed_and_deleted_by_hand(sandbox: Sandbox) -> None:
    sandbox.deploy(GROUP, tags={"a": "b"})
    ec2, made = sandbox.aws("ec2"), sandbox.physical()
    ec2.modify_vpc_attribute(VpcId=made["Vpc"], EnableDnsHostnames={"Value": False})
    ec2.create_tags(
        Resources=[made["Vpc"]], Tags=[{"Key": "by", "Value": "hand"}, {"Key": "a", "Value": "c"}]
    )
    ec2.authorize_security_group_ingress(
        GroupId=made["Group"], IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="0.0.0.0/0"
    )
    assert sandbox.drift() == {
        "Vpc": ("MODIFIED", [("/EnableDnsHostnames", "NOT_EQUAL"), ("/Tags/0", "REMOVE"), ("/Tags/0", "ADD"), ("/Tags/1", "ADD")]),
        "Group": ("MODIFIED", [("/SecurityGroupIngress/1", "ADD")]),
    }  # fmt: skip
    found = sandbox.cloudformation.describe_stack_resource_drifts(
        StackName="stack", StackResourceDriftStatusFilters=["MODIFIED"]
    )["StackResourceDrifts"]
    assert found[0]["PropertyDifferences"][0] == {
        "PropertyPath": "/EnableDnsHostnames", "ExpectedValue": "true", "ActualValue": "false", "DifferenceType": "NOT_EQUAL",
    }  # fmt: skip
    assert json.loads(found[0]["ExpectedProperties"])["EnableDnsHostnames"] is True
    assert json.loads(found[0]["ActualProperties"])["EnableDnsHostnames"] is False
    ec2.delete_security_group(GroupId=made["Group"])
    assert sandbox.drift()["Group"] == ("DELETED", [])
    summaries = sandbox.cloudformation.list_stack_resources(StackName="stack")["StackResourceSummaries"]
    assert {item["LogicalResourceId"]: item["DriftInformation"]["StackResourceDriftStatus"] for item in summaries} == {
        "Vpc": "MODIFIED", "Group": "DELETED",
    }  # fmt: skip


def test_a_rule_of_its_own_is_no_drift_of_its_group(sandbox: Sandbox) -> None:
    content = json.loads(GROUP)
    content["Resources"]["Rule"] = {
        "Type": "AWS::EC2::SecurityGroupIngress",
        "Properties": {
            "GroupId": {"Fn::GetAtt": ["Group", "GroupId"]},
            "IpProtocol": "tcp",
            "FromPort": 80,
            "ToPort": 80,
            "CidrIp": "10.0.0.0/8",
        },
    }
    sandbox.deploy(json.dumps(content))
    assert sandbox.drift() == {}


def test_of_a_stack_that_does_not_stand(sandbox: Sandbox) -> None:
    sandbox.propose(GROUP)
    with pytest.raises(Exception, match="cannot be performed on stack"):
        sandbox.drift()


@pytest.mark.parametrize(
    ("expected", "actual", "differences"),
    [
        ({"EngineVersion": "17"}, {"EngineVersion": "17"}, []),
        ({"Port": "5432"}, {"Port": 5432}, []),
        ({"MultiAZ": True}, {"MultiAZ": "true"}, []),
        ({"MultiAZ": True}, {}, [("/MultiAZ", "REMOVE")]),
        ({"VPCSecurityGroups": ["a", "b"]}, {"VPCSecurityGroups": ["b", "a"]}, [("/VPCSecurityGroups/0", "NOT_EQUAL"), ("/VPCSecurityGroups/1", "NOT_EQUAL")]),
        ({"Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]}, {"Tags": [{"Key": "b", "Value": "2"}, {"Key": "a", "Value": "1"}]}, []),
    ],
)  # fmt: skip
def test_comparison(
    expected: dict[str, Any], actual: dict[str, Any], differences: list[tuple[str, str]]
) -> None:
    found = drift.compare(expected, actual, "AWS::RDS::DBInstance", "ap-northeast-1")
    assert [(item["PropertyPath"], item["DifferenceType"]) for item in found] == differences


def test_secrets_are_left_out() -> None:
    made = Made(
        logical="Db", type="AWS::RDS::DBInstance", physical="db", status="", changed=now(), deletion_policy="Delete",
        replace_policy="Delete", metadata=None, needs=frozenset(),
        properties={"MasterUsername": "{{resolve:secretsmanager:x:SecretString:username}}", "MasterUserPassword": "p", "DBName": "d"},
    )  # fmt: skip
    assert drift.comparable(made, "ap-northeast-1") == {"DBName": "d"}
