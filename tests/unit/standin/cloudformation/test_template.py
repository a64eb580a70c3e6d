"""What is refused before anything is touched, over the API, with AWS's words."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.unit.standin.cloudformation.sandbox import Sandbox

VPC = {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}}


def subnet(**properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": {"Ref": "Vpc"}, **properties}}


REFUSED = {
    "no resources": ({}, "Template format error: At least one Resources member must be defined."),
    "unknown section": ({"Resources": {"Vpc": VPC}, "Resource": {}}, "Invalid template property or properties [Resource]"),
    "transform": ({"Resources": {"Vpc": VPC}, "Transform": "AWS::Serverless-2016-10-31"}, "Invalid template property or properties [Transform]"),
    "no such type": ({"Resources": {"A": {"Type": "AWS::EC2::Vcp"}}}, "Template format error: Unrecognized resource types: [AWS::EC2::Vcp]"),
    "a type of AWS without adapter": (
        {"Resources": {"A": {"Type": "AWS::S3::Bucket"}, "B": {"Type": "Custom::Thing"}}},
        "Template format error: Unrecognized resource types: [AWS::S3::Bucket, Custom::Thing] (Slipway's stand-in has no adapter for: AWS::S3::Bucket)",
    ),
    "unknown property": (
        {"Resources": {"Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlok": "10.0.0.0/16"}}}},
        "Properties validation failed for resource Vpc with message:\n#: extraneous key [CidrBlok] is not permitted",
    ),
    "unknown property inside": (
        {"Resources": {"Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"Tags": [{"Key": "a", "Valu": "b"}]}}}},
        "Properties validation failed for resource Vpc with message:\n#/Tags/0: extraneous key [Valu] is not permitted",
    ),
    "unknown property behind a function": (
        {
            "Conditions": {"C": {"Fn::Equals": ["a", "a"]}},
            "Resources": {"Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"Tags": [{"Fn::If": ["C", {"Kee": "a"}, {"Ref": "AWS::NoValue"}]}]}}},
        },
        "Properties validation failed for resource Vpc with message:\n#/Tags/0: extraneous key [Kee] is not permitted",
    ),
    "read-only property": (
        {"Resources": {"Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"VpcId": "vpc-1"}}}},
        "Properties validation failed for resource Vpc with message:\n#: extraneous key [VpcId] is not permitted",
    ),
    "a property of AWS that the adapter lacks": (
        {"Resources": {"Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"Ipv4IpamPoolId": "x"}}}},
        "Properties validation failed for resource Vpc with message:\n#: property [Ipv4IpamPoolId] is not supported by Slipway's stand-in",
    ),
    "unresolved Ref": (
        {"Resources": {"S": subnet(CidrBlock="10.0.0.0/24")}},
        "Template format error: Unresolved resource dependencies [Vpc] in the Resources block of the template",
    ),
    "unresolved Ref in outputs": (
        {"Resources": {"Vpc": VPC}, "Outputs": {"O": {"Value": {"Ref": "Nope"}}}},
        "Template format error: Unresolved resource dependencies [Nope] in the Outputs block of the template",
    ),
    "unresolved variable": (
        {"Resources": {"Vpc": VPC, "S": subnet(CidrBlock={"Fn::Sub": "${Nope}"})}},
        "Template format error: Unresolved resource dependencies [Nope] in the Resources block of the template",
    ),
    "unresolved DependsOn": (
        {"Resources": {"Vpc": {**VPC, "DependsOn": ["Nope"]}}},
        "Template format error: Unresolved resource dependencies [Nope] in the Resources block of the template",
    ),
    "GetAtt of nothing": (
        {"Resources": {"S": subnet(CidrBlock={"Fn::GetAtt": ["Nope", "Arn"]}), "Vpc": VPC}},
        "Template error: instance of Fn::GetAtt references undefined resource Nope",
    ),
    "GetAtt of no attribute": (
        {"Resources": {"Vpc": VPC}, "Outputs": {"O": {"Value": {"Fn::GetAtt": ["Vpc", "Arn"]}}}},
        "Template error: resource Vpc does not support attribute type Arn in Fn::GetAtt",
    ),
    "unknown condition": (
        {"Resources": {"Vpc": {**VPC, "Condition": "Nope"}}},
        "Template format error: Unresolved condition dependency Nope in the Resources block of the template",
    ),
    "circle": (
        {"Resources": {"A": {**VPC, "DependsOn": "B"}, "B": {**VPC, "DependsOn": "A"}}},
        "Circular dependency between resources: [A, B]",
    ),
    "import": (
        {"Resources": {"Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": {"Fn::ImportValue": "x"}}}}},
        "Template error: Fn::ImportValue is not supported by Slipway's stand-in",
    ),
    "export": (
        {"Resources": {"Vpc": VPC}, "Outputs": {"O": {"Value": "x", "Export": {"Name": "x"}}}},
        "Invalid template output property 'Export' (the stand-in has no exports)",
    ),
    "unknown resource field": ({"Resources": {"Vpc": {**VPC, "DeletePolicy": "Retain"}}}, "Invalid template resource property 'DeletePolicy'"),
    "snapshot of what has none": (
        {"Resources": {"Vpc": {**VPC, "DeletionPolicy": "Snapshot"}}},
        "Template error: resource type AWS::EC2::VPC does not support deletion policy Snapshot",
    ),
    "bad name": ({"Resources": {"Vpc-1": VPC}}, "Template format error: Resources name Vpc-1 is non alphanumeric."),
}  # fmt: skip


@pytest.mark.parametrize(("content", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(sandbox: Sandbox, content: dict[str, Any], message: str) -> None:
    cloudformation = sandbox.cloudformation
    calls = (
        lambda **more: cloudformation.create_change_set(
            StackName="s", ChangeSetName="c", ChangeSetType="CREATE", **more
        ),
        lambda **more: cloudformation.create_stack(StackName="s", **more),
        cloudformation.validate_template,
    )
    for call in calls:
        with pytest.raises(ClientError) as raised:
            call(TemplateBody=json.dumps(content))
        error = raised.value.response["Error"]
        assert (error["Code"], error["Message"]) == ("ValidationError", message)
    assert cloudformation.list_stacks()["StackSummaries"] == []


def test_too_large(sandbox: Sandbox) -> None:
    with pytest.raises(ClientError, match="less than or equal to 51200"):
        sandbox.cloudformation.validate_template(
            TemplateBody=json.dumps({"Resources": {"V": VPC}, "Description": "x" * 51200})
        )


ROLE = {
    "Type": "AWS::IAM::Role",
    "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}},
}
NAMED = {"Type": ROLE["Type"], "Properties": {**ROLE["Properties"], "RoleName": "r"}}  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("role", "given", "wanted"),
    [
        (ROLE, [], "CAPABILITY_IAM"),
        (NAMED, [], "CAPABILITY_NAMED_IAM"),
        (NAMED, ["CAPABILITY_IAM"], "CAPABILITY_NAMED_IAM"),
        (ROLE, ["CAPABILITY_IAM"], None),
        (ROLE, ["CAPABILITY_NAMED_IAM"], None),
        (NAMED, ["CAPABILITY_NAMED_IAM"], None),
    ],
)
def test_capabilities(sandbox: Sandbox, role: Any, given: list[str], wanted: str | None) -> None:
    ask = {"StackName": "s", "TemplateBody": json.dumps({"Resources": {"R": role}}), "Capabilities": given}
    if wanted is None:
        sandbox.cloudformation.create_stack(**ask)
        assert sandbox.status("s") == "CREATE_COMPLETE"
        return
    with pytest.raises(ClientError) as raised:
        sandbox.cloudformation.create_stack(**ask)
    error = raised.value.response["Error"]
    assert (error["Code"], error["Message"]) == (
        "InsufficientCapabilitiesException",
        f"Requires capabilities : [{wanted}]",
    )


def test_summary(sandbox: Sandbox) -> None:
    text = json.dumps(
        {
            "Description": "d",
            "Parameters": {"P": {"Type": "Number", "Default": 1}, "Q": {"Type": "String", "NoEcho": True}},
            "Resources": {"R": NAMED},
        }
    )
    found = sandbox.cloudformation.get_template_summary(TemplateBody=text)
    assert found["Description"] == "d"
    assert found["Capabilities"] == ["CAPABILITY_NAMED_IAM"]
    assert found["ResourceTypes"] == ["AWS::IAM::Role"]
    assert [
        (item["ParameterKey"], item.get("DefaultValue"), item["NoEcho"]) for item in found["Parameters"]
    ] == [
        ("P", "1", False),
        ("Q", None, True),
    ]
    assert sandbox.cloudformation.validate_template(TemplateBody=text)["CapabilitiesReason"] == (
        "The following resource(s) require capabilities: [AWS::IAM::Role]"
    )
