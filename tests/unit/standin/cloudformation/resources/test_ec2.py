from typing import Any

from tests.unit.standin.cloudformation.resources import lives
from tests.unit.standin.cloudformation.resources.templates import on_network, resource
from tests.unit.standin.cloudformation.sandbox import Sandbox, change, changed, template

WEB = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "10.0.0.0/8", "Description": "web"}
GROUP = resource(
    "AWS::EC2::SecurityGroup", VpcId={"Ref": "Vpc"}, GroupDescription="g", SecurityGroupIngress=[WEB]
)
OTHER = resource("AWS::EC2::SecurityGroup", VpcId={"Ref": "Vpc"}, GroupDescription="other")


def opened(key: str) -> lives.Look:
    def look(sandbox: Sandbox, physical: str) -> Any:
        found = sandbox.aws("ec2").describe_security_groups(GroupIds=[physical])["SecurityGroups"][0][key]
        return sorted(
            (item["IpProtocol"], item.get("FromPort"), *(each["CidrIp"] for each in item["IpRanges"]))
            for item in found
        )

    return look


def test_group(sandbox: Sandbox) -> None:
    look = opened("IpPermissions")
    ssh = {**WEB, "FromPort": 22, "ToPort": 22}
    physical = lives.live(
        sandbox, on_network(Group=GROUP), "Group",
        look=look, before=[("tcp", 443, "10.0.0.0/8")], changes={"SecurityGroupIngress": [ssh]}, after=[("tcp", 22, "10.0.0.0/8")],
    )  # fmt: skip
    lives.die(sandbox, look, physical)


def test_group_is_replaced_for_another_description(sandbox: Sandbox) -> None:
    look = opened("IpPermissions")
    rules = [("tcp", 443, "10.0.0.0/8")]
    lives.live(
        sandbox,
        on_network(Group=GROUP),
        "Group",
        look=look,
        before=rules,
        changes={"GroupDescription": "h"},
        after=rules,
        replaced=True,
    )


def test_the_rule_that_lets_everything_out(sandbox: Sandbox) -> None:
    everything = [("-1", None, "0.0.0.0/0")]
    own = {"IpProtocol": "-1", "CidrIp": "127.0.0.1/32"}
    lives.live(
        sandbox, on_network(Group=GROUP), "Group", look=opened("IpPermissionsEgress"),
        before=everything, changes={"SecurityGroupEgress": [own]}, after=[("-1", None, "127.0.0.1/32")],
    )  # fmt: skip
    assert sandbox.deploy(on_network(Group=GROUP)) == "UPDATE_COMPLETE"
    assert opened("IpPermissionsEgress")(sandbox, sandbox.physical()["Group"]) == everything


def test_rules_as_resources(sandbox: Sandbox) -> None:
    rule = {"GroupId": {"Ref": "Other"}, "IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432}
    text = on_network(
        Group=GROUP,
        Other=OTHER,
        In=resource(
            "AWS::EC2::SecurityGroupIngress",
            **rule,
            SourceSecurityGroupId={"Fn::GetAtt": ["Group", "GroupId"]},
            Description="nodes",
        ),
        Out=resource("AWS::EC2::SecurityGroupEgress", **rule, CidrIp="10.0.0.0/8"),
    )

    def look(box: Sandbox, physical: str) -> Any:
        made = box.physical()
        found = box.aws("ec2").describe_security_groups(GroupIds=[made["Other"]])["SecurityGroups"][0][
            "IpPermissions"
        ]
        return [
            (pair["GroupId"] == made["Group"], pair.get("Description"))
            for item in found
            for pair in item["UserIdGroupPairs"]
        ]

    lives.live(
        sandbox,
        text,
        "In",
        look=look,
        before=[(True, "nodes")],
        changes={"Description": "pods"},
        after=[(True, "pods")],
    )
    ec2, made = sandbox.aws("ec2"), sandbox.physical()
    ec2.revoke_security_group_ingress(
        GroupId=made["Other"],
        IpPermissions=[
            {
                "IpProtocol": "tcp",
                "FromPort": 5432,
                "ToPort": 5432,
                "UserIdGroupPairs": [{"GroupId": made["Group"], "Description": "pods"}],
            }
        ],
    )
    assert sandbox.drift() == {"In": ("DELETED", [])}
    assert sandbox.delete() is None, sandbox.reasons()


def test_a_rule_that_is_there_already(sandbox: Sandbox) -> None:
    again = resource("AWS::EC2::SecurityGroupIngress", GroupId={"Ref": "Group"}, **WEB)
    assert sandbox.deploy(on_network(Group=GROUP, Again=again)) == "ROLLBACK_COMPLETE"
    assert "InvalidPermission.Duplicate" in sandbox.reasons()["Again"]


def test_a_group_in_use_stays(sandbox: Sandbox) -> None:
    sandbox.deploy(on_network(Group=GROUP, Other=OTHER))
    ec2, made = sandbox.aws("ec2"), sandbox.physical()
    outside = ec2.create_security_group(GroupName="outside", Description="x", VpcId=made["Vpc"])["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=outside,
        IpPermissions=[
            {
                "IpProtocol": "tcp",
                "FromPort": 1,
                "ToPort": 1,
                "UserIdGroupPairs": [{"GroupId": made["Group"]}],
            }
        ],
    )
    assert sandbox.delete() == "DELETE_FAILED"
    assert (
        sandbox.reasons()["Group"]
        == f"resource {made['Group']} has a dependent object ({outside}) (Error Code: DependencyViolation)"
    )


def test_launch_template(sandbox: Sandbox) -> None:
    text = template(
        {
            "Lt": resource(
                "AWS::EC2::LaunchTemplate",
                LaunchTemplateData={"MetadataOptions": {"HttpTokens": "required"}},
                TagSpecifications=[{"ResourceType": "launch-template", "Tags": [{"Key": "a", "Value": "1"}]}],
            )
        },
        {"Version": {"Fn::GetAtt": ["Lt", "LatestVersionNumber"]}},
    )

    def look(box: Sandbox, physical: str) -> Any:
        ec2 = box.aws("ec2")
        found = ec2.describe_launch_templates(LaunchTemplateIds=[physical])["LaunchTemplates"][0]
        newest = ec2.describe_launch_template_versions(LaunchTemplateId=physical, Versions=["$Latest"])[
            "LaunchTemplateVersions"
        ][0]
        return found["LatestVersionNumber"], newest["LaunchTemplateData"]["MetadataOptions"]["HttpTokens"]

    physical = lives.live(
        sandbox, text, "Lt", look=look, before=(1, "required"),
        changes={"LaunchTemplateData": {"MetadataOptions": {"HttpTokens": "optional"}}}, after=(2, "optional"),
    )  # fmt: skip
    assert sandbox.outputs() == {"Version": "2"}
    tagged = changed(
        text,
        "Lt",
        TagSpecifications=[{"ResourceType": "launch-template", "Tags": [{"Key": "b", "Value": "2"}]}],
    )
    sandbox.cloudformation.delete_change_set(StackName="stack", ChangeSetName="proposed")
    found = sandbox.propose(tagged)
    assert change(found, "Lt")["Replacement"] == "False"
    sandbox.cloudformation.execute_change_set(StackName="stack", ChangeSetName="proposed")
    tags = sandbox.aws("ec2").describe_tags(Filters=[{"Name": "resource-id", "Values": [physical]}])["Tags"]
    assert [(tag["Key"], tag["Value"]) for tag in tags] == [("b", "2")]
    lives.die(sandbox, look, physical)


def test_an_update_that_fails_halfway_is_undone_as_far_as_it_came(sandbox: Sandbox) -> None:
    web, ssh = WEB, {**WEB, "FromPort": 22, "ToPort": 22}
    text = on_network(Group=GROUP)
    sandbox.deploy(text)
    # The first rule goes, the second comes, the third is refused.
    broken = changed(
        text,
        "Group",
        SecurityGroupIngress=[
            ssh,
            {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "SourceSecurityGroupId": "sg-nope"},
        ],
    )
    assert sandbox.deploy(broken) == "UPDATE_ROLLBACK_COMPLETE", sandbox.reasons()
    assert "sg-nope" in sandbox.reasons()["Group"]
    assert opened("IpPermissions")(sandbox, sandbox.physical()["Group"]) == [
        ("tcp", web["FromPort"], "10.0.0.0/8")
    ]
    assert sandbox.drift() == {}


def test_a_new_group_with_rules_of_its_own_lets_nothing_else_out(sandbox: Sandbox) -> None:
    own = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "0.0.0.0/0"}
    sandbox.deploy(changed(on_network(Group=GROUP), "Group", SecurityGroupEgress=[own]))
    assert opened("IpPermissionsEgress")(sandbox, sandbox.physical()["Group"]) == [("tcp", 443, "0.0.0.0/0")]
    assert sandbox.drift() == {}
