import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.unit.standin.cloudformation.sandbox import Sandbox, change, changed, template

NETWORK = template(
    {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": {"Ref": "Cidr"}, "EnableDnsHostnames": True}},
        "Subnet": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.0.0.0/24"}},
        "Log": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 7}},
    },
    {"VpcId": {"Ref": "Vpc"}},
    Parameters={"Cidr": {"Type": "String", "Default": "10.0.0.0/16"}},
)  # fmt: skip
EMPTY = (
    "The submitted information didn't contain changes. Submit different information to create a change set."
)


def test_of_a_new_stack(sandbox: Sandbox) -> None:
    found = sandbox.propose(NETWORK, tags={"a": "b"}, Cidr="10.0.0.0/20")
    assert (found["Status"], found["ExecutionStatus"]) == ("CREATE_COMPLETE", "AVAILABLE")
    assert [(item["ResourceChange"]["Action"], item["ResourceChange"]["LogicalResourceId"]) for item in found["Changes"]] == [
        ("Add", "Vpc"), ("Add", "Log"), ("Add", "Subnet"),
    ]  # fmt: skip
    assert found["Parameters"] == [{"ParameterKey": "Cidr", "ParameterValue": "10.0.0.0/20"}]
    assert found["Tags"] == [{"Key": "a", "Value": "b"}]
    assert sandbox.status() == "REVIEW_IN_PROGRESS"
    assert sandbox.physical() == {}


def test_that_is_only_looked_at_leaves_nothing(sandbox: Sandbox) -> None:
    sandbox.propose(NETWORK)
    sandbox.cloudformation.delete_change_set(StackName="stack", ChangeSetName="proposed")
    assert sandbox.cloudformation.list_change_sets(StackName="stack")["Summaries"] == []
    assert sandbox.delete() is None
    assert len(sandbox.aws("ec2").describe_vpcs()["Vpcs"]) == 1  # the default one


def test_values_of_a_new_stack_are_not_looked_at(sandbox: Sandbox) -> None:
    found = sandbox.propose(NETWORK, Cidr="known-after-network-Cidr")
    assert found["Status"] == "CREATE_COMPLETE"


def test_without_changes(sandbox: Sandbox) -> None:
    sandbox.deploy(NETWORK, tags={"a": "b"})
    found = sandbox.propose(NETWORK)
    assert (found["Status"], found["ExecutionStatus"], found["StatusReason"]) == (
        "FAILED",
        "UNAVAILABLE",
        EMPTY,
    )
    with pytest.raises(ClientError) as raised:
        sandbox.cloudformation.execute_change_set(StackName="stack", ChangeSetName="proposed")
    assert raised.value.response["Error"]["Code"] == "InvalidChangeSetStatus"
    with pytest.raises(ClientError, match=r"No updates are to be performed\."):
        sandbox.cloudformation.update_stack(StackName="stack", TemplateBody=NETWORK)


def test_of_an_update_in_place(sandbox: Sandbox) -> None:
    sandbox.deploy(NETWORK)
    found = sandbox.propose(changed(NETWORK, "Vpc", EnableDnsHostnames=False))
    assert len(found["Changes"]) == 1
    vpc = change(found, "Vpc")
    assert (vpc["Action"], vpc["Replacement"], vpc["Scope"]) == ("Modify", "False", ["Properties"])
    assert vpc["PhysicalResourceId"] == sandbox.physical()["Vpc"]
    assert vpc["Details"] == [
        {
            "Target": {
                "Attribute": "Properties",
                "Name": "EnableDnsHostnames",
                "RequiresRecreation": "Never",
                "Path": "/Properties/EnableDnsHostnames",
                "BeforeValue": "true",
                "AfterValue": "false",
                "AttributeChangeType": "Modify",
            },
            "Evaluation": "Static",
            "ChangeSource": "DirectModification",
        }
    ]


def test_of_a_replacement_reaches_what_depends_on_it(sandbox: Sandbox) -> None:
    sandbox.deploy(NETWORK)
    found = sandbox.propose(NETWORK, Cidr="10.0.0.0/20")
    vpc, subnet = change(found, "Vpc"), change(found, "Subnet")
    assert (vpc["Replacement"], vpc["PolicyAction"]) == ("True", "ReplaceAndDelete")
    detail = vpc["Details"][0]
    assert (detail["Target"]["RequiresRecreation"], detail["ChangeSource"], detail["CausingEntity"]) == (
        "Always",
        "ParameterReference",
        "Cidr",
    )
    assert subnet["Replacement"] == "Conditional"
    detail = subnet["Details"][0]
    assert (
        detail["Target"]["Name"],
        detail["Evaluation"],
        detail["ChangeSource"],
        detail["CausingEntity"],
    ) == ("VpcId", "Dynamic", "ResourceReference", "Vpc")
    assert len(found["Changes"]) == 2


def test_of_tags_of_the_stack(sandbox: Sandbox) -> None:
    sandbox.deploy(NETWORK, tags={"a": "b"})
    found = sandbox.propose(NETWORK, tags={"a": "c"})
    assert {item["ResourceChange"]["LogicalResourceId"]: item["ResourceChange"]["Scope"] for item in found["Changes"]} == {
        "Vpc": ["Tags"], "Subnet": ["Tags"], "Log": ["Tags"],
    }  # fmt: skip
    assert change(found, "Vpc")["Details"][0]["Target"]["Attribute"] == "Tags"
    assert "Name" not in change(found, "Vpc")["Details"][0]["Target"]


def test_of_a_removal(sandbox: Sandbox) -> None:
    sandbox.deploy(NETWORK)
    content = json.loads(NETWORK)
    del content["Resources"]["Log"]
    found = sandbox.propose(json.dumps(content))
    assert [
        (item["ResourceChange"]["Action"], item["ResourceChange"]["LogicalResourceId"])
        for item in found["Changes"]
    ] == [("Remove", "Log")]
    assert change(found, "Log")["PolicyAction"] == "Delete"


def test_of_outputs_alone(sandbox: Sandbox) -> None:
    sandbox.deploy(NETWORK)
    content = json.loads(NETWORK)
    content["Outputs"]["Name"] = {"Value": {"Ref": "AWS::StackName"}}
    found = sandbox.propose(json.dumps(content))
    assert (found["Status"], found["Changes"]) == ("CREATE_COMPLETE", [])
    sandbox.cloudformation.execute_change_set(StackName="stack", ChangeSetName="proposed")
    assert (sandbox.status(), sandbox.outputs()["Name"]) == ("UPDATE_COMPLETE", "stack")


def test_of_policies_and_metadata(sandbox: Sandbox) -> None:
    sandbox.deploy(NETWORK)
    content = json.loads(NETWORK)
    content["Resources"]["Log"] |= {"DeletionPolicy": "Retain", "Metadata": {"a": "b"}}
    found = sandbox.propose(json.dumps(content))
    assert change(found, "Log")["Scope"] == ["DeletionPolicy", "Metadata"]
    sandbox.cloudformation.execute_change_set(StackName="stack", ChangeSetName="proposed")
    assert [status for name, status in sandbox.events() if name == "Log"] == [
        "CREATE_IN_PROGRESS",
        "CREATE_IN_PROGRESS",
        "CREATE_COMPLETE",
    ]
    sandbox.delete()
    assert len(sandbox.aws("logs").describe_log_groups()["logGroups"]) == 1


def test_another_type_under_the_same_name(sandbox: Sandbox) -> None:
    sandbox.deploy(template({"A": {"Type": "AWS::EC2::InternetGateway"}}))
    with pytest.raises(ClientError, match=r"modifies resource type of the following resources: \[A\]"):
        sandbox.propose(template({"A": {"Type": "AWS::EC2::EIP"}}))


def test_names(sandbox: Sandbox) -> None:
    sandbox.propose(NETWORK)
    with pytest.raises(ClientError) as raised:
        sandbox.propose(NETWORK)
    assert raised.value.response["Error"]["Code"] == "AlreadyExistsException"
    for ask in (
        {"ChangeSetName": "1x", "StackName": "stack"},
        {"ChangeSetName": "x", "StackName": "my_stack"},
    ):
        with pytest.raises(ClientError, match="failed to satisfy constraint"):
            sandbox.cloudformation.create_change_set(**ask, ChangeSetType="CREATE", TemplateBody=NETWORK)
    with pytest.raises(ClientError) as raised:
        sandbox.cloudformation.describe_change_set(StackName="stack", ChangeSetName="nope")
    assert raised.value.response["Error"]["Code"] == "ChangeSetNotFound"
    with pytest.raises(ClientError, match=r"Stack with id other does not exist"):
        sandbox.cloudformation.create_change_set(StackName="other", ChangeSetName="x", TemplateBody=NETWORK)


def test_others_are_gone_after_one_was_executed(sandbox: Sandbox) -> None:
    sandbox.propose(NETWORK)
    sandbox.cloudformation.create_change_set(
        StackName="stack", ChangeSetName="other", ChangeSetType="CREATE", TemplateBody=NETWORK
    )
    sandbox.cloudformation.execute_change_set(StackName="stack", ChangeSetName="other")
    left = sandbox.cloudformation.list_change_sets(StackName="stack")["Summaries"]
    assert [(item["ChangeSetName"], item["ExecutionStatus"]) for item in left] == [
        ("other", "EXECUTE_COMPLETE")
    ]


def test_pages(sandbox: Sandbox) -> None:
    many: dict[str, Any] = {f"G{number}": {"Type": "AWS::EC2::InternetGateway"} for number in range(120)}
    sandbox.propose(template(many))
    pages = sandbox.cloudformation.get_paginator("describe_change_set").paginate(
        StackName="stack", ChangeSetName="proposed"
    )
    assert [len(page["Changes"]) for page in pages] == [100, 20]


def test_of_tags_that_no_resource_can_carry(sandbox: Sandbox) -> None:
    key = sandbox.aws("kms").create_key()["KeyMetadata"]["KeyId"]
    text = template(
        {"A": {"Type": "AWS::KMS::Alias", "Properties": {"AliasName": "alias/a", "TargetKeyId": key}}}
    )
    sandbox.deploy(text, tags={"a": "b"})
    found = sandbox.propose(text, tags={"a": "c"})
    assert (found["Status"], found["Changes"]) == ("CREATE_COMPLETE", [])
    sandbox.cloudformation.execute_change_set(StackName="stack", ChangeSetName="proposed")
    assert sandbox.cloudformation.describe_stacks(StackName="stack")["Stacks"][0]["Tags"] == [
        {"Key": "a", "Value": "c"}
    ]
