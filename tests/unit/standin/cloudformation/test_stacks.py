"""A stack's life: statuses, events, rollback, policies."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError

from tests.unit.standin.cloudformation.sandbox import Sandbox, changed, template


def log(name: str | None = None, **more: Any) -> dict[str, Any]:
    properties = {"RetentionInDays": 7} | ({"LogGroupName": name} if name else {})
    return {"Type": "AWS::Logs::LogGroup", "Properties": properties, **more}


def after(*needed: str, **more: Any) -> dict[str, Any]:
    return log(**more) | {"DependsOn": list(needed)}


BAD = {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 8}}
"""Eight days are none of those that Logs knows."""


def groups(sandbox: Sandbox) -> dict[str, int]:
    return {
        group["logGroupName"]: group.get("retentionInDays", 0)
        for group in sandbox.aws("logs").describe_log_groups()["logGroups"]
    }


def test_create(sandbox: Sandbox) -> None:
    assert (
        sandbox.deploy(template({"B": after("A"), "A": log("first")}), tags={"team": "x"})
        == "CREATE_COMPLETE"
    )
    assert sandbox.events() == [
        ("stack", "REVIEW_IN_PROGRESS"),
        ("stack", "CREATE_IN_PROGRESS"),
        ("A", "CREATE_IN_PROGRESS"),
        ("A", "CREATE_IN_PROGRESS"),
        ("A", "CREATE_COMPLETE"),
        ("B", "CREATE_IN_PROGRESS"),
        ("B", "CREATE_IN_PROGRESS"),
        ("B", "CREATE_COMPLETE"),
        ("stack", "CREATE_COMPLETE"),
    ]
    generated = sandbox.physical()["B"]
    assert groups(sandbox) == {"first": 7, generated: 7}
    assert generated.startswith("stack-B-")
    assert len(generated) == len("stack-B-") + 12
    assert sandbox.aws("logs").list_tags_log_group(logGroupName="first")["tags"] == {"team": "x"}


def test_events_are_newest_first_and_have_reasons(sandbox: Sandbox) -> None:
    sandbox.deploy(template({"A": log("first")}))
    events = sandbox.cloudformation.describe_stack_events(StackName="stack")["StackEvents"]
    assert [event["Timestamp"] for event in events] == sorted(
        (event["Timestamp"] for event in events), reverse=True
    )
    assert events[0]["ResourceType"] == "AWS::CloudFormation::Stack"
    begun = events[2]
    assert (begun["ResourceStatusReason"], begun["PhysicalResourceId"]) == (
        "Resource creation Initiated",
        "first",
    )
    assert json.loads(begun["ResourceProperties"]) == {"LogGroupName": "first", "RetentionInDays": 7}
    assert len({event["EventId"] for event in events}) == len(events)


def test_a_failed_creation_is_rolled_back(sandbox: Sandbox) -> None:
    assert (
        sandbox.deploy(template({"A": log("first"), "B": {**BAD, "DependsOn": "A"}, "C": after("B")}))
        == "ROLLBACK_COMPLETE"
    )
    assert groups(sandbox) == {}
    assert sandbox.events()[5:] == [
        ("B", "CREATE_FAILED"),
        ("stack", "ROLLBACK_IN_PROGRESS"),
        ("B", "DELETE_IN_PROGRESS"),
        ("B", "DELETE_COMPLETE"),
        ("A", "DELETE_IN_PROGRESS"),
        ("A", "DELETE_COMPLETE"),
        ("stack", "ROLLBACK_COMPLETE"),
    ]
    assert sandbox.reasons()["B"] == (
        "Properties validation failed for resource B with message:\n#/RetentionInDays: 8 is not a valid enum value"
    )
    with pytest.raises(ClientError, match=r"is in ROLLBACK_COMPLETE state and can not be updated\."):
        sandbox.propose(template({"A": log()}))
    assert sandbox.delete() is None


def test_what_the_service_refuses_fails_with_its_words(sandbox: Sandbox) -> None:
    sandbox.aws("logs").create_log_group(logGroupName="taken")
    assert sandbox.deploy(template({"A": log("taken")})) == "ROLLBACK_COMPLETE"
    assert "The specified log group already exists" in sandbox.reasons()["A"]
    assert "Error Code: ResourceAlreadyExistsException" in sandbox.reasons()["A"]
    assert groups(sandbox) == {"taken": 0}, "what was there before is not the stack's to delete"


def test_what_was_half_made_is_deleted(sandbox: Sandbox) -> None:
    role = {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "RoleName": "half",
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]},
            "ManagedPolicyArns": ["arn:aws:iam::aws:policy/NoSuchPolicy"],
        },
    }  # fmt: skip
    assert sandbox.deploy(template({"R": role})) == "ROLLBACK_COMPLETE"
    assert "arn:aws:iam::aws:policy/NoSuchPolicy does not exist" in sandbox.reasons()["R"]
    assert sandbox.aws("iam").list_roles()["Roles"] == []


@pytest.mark.parametrize(
    ("options", "status", "left"),
    [
        ({"OnFailure": "DO_NOTHING"}, "CREATE_FAILED", {"first": 7}),
        ({"DisableRollback": True}, "CREATE_FAILED", {"first": 7}),
        ({"OnFailure": "DELETE"}, None, {}),
        ({}, "ROLLBACK_COMPLETE", {}),
    ],
)
def test_on_failure(
    sandbox: Sandbox, options: dict[str, Any], status: str | None, left: dict[str, int]
) -> None:
    sandbox.cloudformation.create_stack(
        StackName="stack",
        TemplateBody=template({"A": log("first"), "B": {**BAD, "DependsOn": "A"}}),
        **options,
    )
    assert (sandbox.status(), groups(sandbox)) == (status, left)


def test_update_in_place_keeps_the_resource(sandbox: Sandbox) -> None:
    first = template({"A": log()})
    sandbox.deploy(first)
    name = sandbox.physical()["A"]
    assert sandbox.deploy(changed(first, "A", RetentionInDays=30)) == "UPDATE_COMPLETE"
    assert (sandbox.physical()["A"], groups(sandbox)) == (name, {name: 30})
    assert sandbox.events()[6:] == [
        ("stack", "UPDATE_IN_PROGRESS"),
        ("A", "UPDATE_IN_PROGRESS"),
        ("A", "UPDATE_COMPLETE"),
        ("stack", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
        ("stack", "UPDATE_COMPLETE"),
    ]


def test_replacement_makes_the_new_one_first(sandbox: Sandbox) -> None:
    first = template({"A": log("old")})
    sandbox.deploy(first)
    assert sandbox.deploy(changed(first, "A", LogGroupName="new")) == "UPDATE_COMPLETE"
    assert (sandbox.physical()["A"], groups(sandbox)) == ("new", {"new": 7})
    assert sandbox.events()[6:] == [
        ("stack", "UPDATE_IN_PROGRESS"),
        ("A", "UPDATE_IN_PROGRESS"),
        ("A", "UPDATE_IN_PROGRESS"),
        ("A", "UPDATE_COMPLETE"),
        ("stack", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
        ("A", "DELETE_IN_PROGRESS"),
        ("A", "DELETE_COMPLETE"),
        ("stack", "UPDATE_COMPLETE"),
    ]
    found = sandbox.cloudformation.describe_stack_events(StackName="stack")["StackEvents"]
    assert (
        found[6]["ResourceStatusReason"]
        == "Requested update requires the creation of a new physical resource; hence creating one."
    )
    assert found[2]["PhysicalResourceId"] == "old"


def test_a_replaced_one_that_is_retained(sandbox: Sandbox) -> None:
    first = template({"A": log("old", UpdateReplacePolicy="Retain")})
    sandbox.deploy(first)
    sandbox.deploy(changed(first, "A", LogGroupName="new"))
    assert groups(sandbox) == {"old": 7, "new": 7}
    assert ("A", "DELETE_SKIPPED") in sandbox.events()


def test_a_named_resource_cannot_be_replaced_by_its_like(sandbox: Sandbox) -> None:
    def repository(kind: str) -> str:
        return template(
            {
                "R": {
                    "Type": "AWS::ECR::Repository",
                    "Properties": {
                        "RepositoryName": "repo",
                        "EncryptionConfiguration": {"EncryptionType": kind},
                    },
                }
            }
        )

    sandbox.deploy(repository("AES256"))
    assert sandbox.deploy(repository("KMS")) == "UPDATE_ROLLBACK_COMPLETE"
    assert sandbox.reasons()["R"] == (
        "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
        "Rename repo and update the stack again."
    )
    assert sandbox.drift() == {}


def test_a_failed_update_brings_back_what_was(sandbox: Sandbox) -> None:
    first = template({"A": log("a"), "B": log("b"), "D": log("d")}, {"Out": {"Ref": "B"}})
    sandbox.deploy(first, tags={"t": "1"})
    second = json.loads(first)
    second["Resources"] = {
        "A": {**log("a"), "Properties": {"LogGroupName": "a", "RetentionInDays": 30}},
        "B": after("A", name="b2"),
        "N": after("B", name="n"),
        "Z": {**BAD, "DependsOn": "N"},
    }
    assert sandbox.deploy(json.dumps(second), tags={"t": "2"}) == "UPDATE_ROLLBACK_COMPLETE"
    assert groups(sandbox) == {"a": 7, "b": 7, "d": 7}
    assert sandbox.physical() == {"A": "a", "B": "b", "D": "d"}
    assert sandbox.outputs() == {"Out": "b"}
    stack = sandbox.cloudformation.describe_stacks(StackName="stack")["Stacks"][0]
    assert stack["Tags"] == [{"Key": "t", "Value": "1"}]
    assert sandbox.cloudformation.get_template(StackName="stack")["TemplateBody"] == json.loads(first)
    names = [pair for pair in sandbox.events() if pair[0] == "stack"]
    assert [status for _, status in names][-4:] == [
        "UPDATE_IN_PROGRESS",
        "UPDATE_ROLLBACK_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE",
    ]
    assert sandbox.drift() == {}
    assert sandbox.propose(first)["Status"] == "FAILED", "nothing differs from the first template"


def test_a_failed_update_without_rollback(sandbox: Sandbox) -> None:
    first = template({"A": log("a")})
    sandbox.deploy(first)
    sandbox.cloudformation.update_stack(
        StackName="stack",
        TemplateBody=template({"A": log("a2"), "B": {**BAD, "DependsOn": "A"}}),
        DisableRollback=True,
    )
    assert sandbox.status() == "UPDATE_FAILED"
    assert groups(sandbox) == {"a": 7, "a2": 7}


def two_rules() -> str:
    return template(
        {
            "G": log("g"),
            "H": {**log("h"), "DependsOn": "G"},
        }
    )


def test_a_rollback_that_fails_can_be_continued(sandbox: Sandbox) -> None:
    sandbox.deploy(two_rules())
    second = json.loads(two_rules())
    second["Resources"]["G"]["Properties"]["RetentionInDays"] = 30
    second["Resources"]["H"] = {**BAD, "DependsOn": "G"}
    # Someone deletes G while the stack is about to be rolled back: the update of H fails, and that of G back too.
    engine, logs = sandbox.engine, sandbox.aws("logs")
    clock = engine.world.clock

    def deleting() -> Any:
        if ("H", "UPDATE_FAILED") in sandbox.events() and "g" in groups(sandbox):
            logs.delete_log_group(logGroupName="g")
        return clock()

    engine.world.clock = deleting
    assert sandbox.deploy(json.dumps(second)) == "UPDATE_ROLLBACK_FAILED"
    engine.world.clock = clock
    assert "The specified log group does not exist" in sandbox.reasons()["G"]
    assert sandbox.reasons()["stack"] == "The following resource(s) failed to update: [G]. "
    with pytest.raises(ClientError, match="UPDATE_ROLLBACK_FAILED state and can not be updated"):
        sandbox.propose(two_rules())
    sandbox.cloudformation.continue_update_rollback(StackName="stack")
    assert sandbox.status() == "UPDATE_ROLLBACK_FAILED"
    logs.create_log_group(logGroupName="g")
    sandbox.cloudformation.continue_update_rollback(StackName="stack")
    assert (sandbox.status(), groups(sandbox)) == ("UPDATE_ROLLBACK_COMPLETE", {"g": 7, "h": 7})
    with pytest.raises(ClientError, match="can not continue update rollback"):
        sandbox.cloudformation.continue_update_rollback(StackName="stack")


def test_a_rollback_that_fails_can_skip_a_resource(sandbox: Sandbox) -> None:
    sandbox.deploy(two_rules())
    second = json.loads(two_rules())
    second["Resources"]["G"]["Properties"]["RetentionInDays"] = 30
    second["Resources"]["H"] = {**BAD, "DependsOn": "G"}
    engine, logs = sandbox.engine, sandbox.aws("logs")
    clock = engine.world.clock

    def deleting() -> Any:
        if ("H", "UPDATE_FAILED") in sandbox.events() and "g" in groups(sandbox):
            logs.delete_log_group(logGroupName="g")
        return clock()

    engine.world.clock = deleting
    sandbox.deploy(json.dumps(second))
    engine.world.clock = clock
    sandbox.cloudformation.continue_update_rollback(StackName="stack", ResourcesToSkip=["G"])
    assert (sandbox.status(), groups(sandbox)) == ("UPDATE_ROLLBACK_COMPLETE", {"h": 7})
    assert sandbox.drift() == {"G": ("DELETED", [])}


def test_conditions_add_and_remove(sandbox: Sandbox) -> None:
    text = template(
        {"A": log("a"), "B": log("b", Condition="Two")},
        {"Two": {"Fn::If": ["Two", {"Ref": "B"}, "none"]}},
        Parameters={"Two": {"Type": "String", "AllowedValues": ["yes", "no"]}},
        Conditions={"Two": {"Fn::Equals": [{"Ref": "Two"}, "yes"]}},
    )
    sandbox.deploy(text, Two="no")
    assert (groups(sandbox), sandbox.outputs()) == ({"a": 7}, {"Two": "none"})
    sandbox.deploy(text, Two="yes")
    assert (groups(sandbox), sandbox.outputs()) == ({"a": 7, "b": 7}, {"Two": "b"})
    sandbox.deploy(text, Two="no")
    assert groups(sandbox) == {"a": 7}
    assert [status for name, status in sandbox.events() if name == "B"][-2:] == [
        "DELETE_IN_PROGRESS",
        "DELETE_COMPLETE",
    ]


@pytest.mark.parametrize(
    ("policy", "left"), [("Retain", {"a": 7}), ("RetainExceptOnCreate", {"a": 7}), ("Delete", {})]
)
def test_deletion_policy(sandbox: Sandbox, policy: str, left: dict[str, int]) -> None:
    sandbox.deploy(template({"A": log("a", DeletionPolicy=policy)}))
    assert sandbox.delete() is None
    assert groups(sandbox) == left


@pytest.mark.parametrize(("policy", "left"), [("Retain", {"a": 7}), ("RetainExceptOnCreate", {})])
def test_deletion_policy_when_a_creation_is_rolled_back(
    sandbox: Sandbox, policy: str, left: dict[str, int]
) -> None:
    sandbox.deploy(template({"A": log("a", DeletionPolicy=policy), "B": {**BAD, "DependsOn": "A"}}))
    assert groups(sandbox) == left


VPC = template(
    {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
        "Subnet": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.0.0.0/24"}},
        "Free": log("free"),
    }
)  # fmt: skip


def test_a_deletion_that_is_blocked_names_what_blocks(sandbox: Sandbox) -> None:
    sandbox.deploy(VPC)
    ec2, made = sandbox.aws("ec2"), sandbox.physical()
    left_over = ec2.create_network_interface(SubnetId=made["Subnet"])["NetworkInterface"][
        "NetworkInterfaceId"
    ]
    assert sandbox.delete() == "DELETE_FAILED"
    reasons = sandbox.reasons()
    assert reasons["Subnet"].startswith(
        f"The subnet '{made['Subnet']}' has dependencies and cannot be deleted."
    )
    assert left_over in reasons["Subnet"]
    assert reasons["stack"] == "The following resource(s) failed to delete: [Subnet]. "
    assert ("Vpc", "DELETE_IN_PROGRESS") not in sandbox.events(), "what something undeleted uses is not tried"
    assert sandbox.physical().keys() == {"Vpc", "Subnet"}
    ec2.delete_network_interface(NetworkInterfaceId=left_over)
    assert sandbox.delete() is None
    assert made["Vpc"] not in [vpc["VpcId"] for vpc in ec2.describe_vpcs()["Vpcs"]]


def test_what_the_blocked_need_is_not_tried_either(sandbox: Sandbox) -> None:
    content = json.loads(VPC)
    content["Resources"]["Vpc"]["DependsOn"] = "Needed"
    content["Resources"]["Needed"] = log("needed")
    sandbox.deploy(json.dumps(content))
    sandbox.aws("ec2").create_network_interface(SubnetId=sandbox.physical()["Subnet"])
    assert sandbox.delete() == "DELETE_FAILED"
    assert sandbox.physical().keys() == {"Subnet", "Vpc", "Needed"}
    assert groups(sandbox) == {"needed": 7}


def test_retaining_what_blocks(sandbox: Sandbox) -> None:
    sandbox.deploy(VPC)
    made = sandbox.physical()
    with pytest.raises(ClientError, match="only when the stack is in the DELETE_FAILED state"):
        sandbox.cloudformation.delete_stack(StackName="stack", RetainResources=["Subnet"])
    sandbox.aws("ec2").create_network_interface(SubnetId=made["Subnet"])
    sandbox.delete()
    sandbox.cloudformation.delete_stack(StackName="stack", RetainResources=["Subnet", "Vpc"])
    assert sandbox.status() is None
    assert made["Vpc"] in [vpc["VpcId"] for vpc in sandbox.aws("ec2").describe_vpcs()["Vpcs"]]


def test_what_is_gone_already_is_no_obstacle(sandbox: Sandbox) -> None:
    sandbox.deploy(template({"A": log("a")}))
    sandbox.aws("logs").delete_log_group(logGroupName="a")
    assert sandbox.delete() is None


def test_termination_protection(sandbox: Sandbox) -> None:
    sandbox.deploy(template({"A": log("a")}))
    sandbox.cloudformation.update_termination_protection(StackName="stack", EnableTerminationProtection=True)
    with pytest.raises(
        ClientError, match=r"Stack \[stack\] cannot be deleted while TerminationProtection is enabled"
    ):
        sandbox.cloudformation.delete_stack(StackName="stack")
    sandbox.cloudformation.update_termination_protection(StackName="stack", EnableTerminationProtection=False)
    assert sandbox.delete() is None


def test_a_deleted_stack_is_known_by_id_only(sandbox: Sandbox) -> None:
    sandbox.deploy(template({"A": log("a")}))
    identity = sandbox.cloudformation.describe_stacks(StackName="stack")["Stacks"][0]["StackId"]
    sandbox.delete()
    with pytest.raises(ClientError) as raised:
        sandbox.cloudformation.describe_stacks(StackName="stack")
    assert raised.value.response["Error"]["Message"] == "Stack with id stack does not exist"
    assert (
        sandbox.cloudformation.describe_stacks(StackName=identity)["Stacks"][0]["StackStatus"]
        == "DELETE_COMPLETE"
    )
    sandbox.cloudformation.delete_stack(StackName="stack")  # no error, as in AWS
    assert sandbox.deploy(template({"A": log("a")})) == "CREATE_COMPLETE"
    assert sandbox.cloudformation.describe_stacks(StackName="stack")["Stacks"][0]["StackId"] != identity


def test_waiters(sandbox: Sandbox) -> None:
    cloudformation, quick = sandbox.cloudformation, {"Delay": 1, "MaxAttempts": 1}
    sandbox.propose(template({"A": log("a")}))
    cloudformation.get_waiter("change_set_create_complete").wait(
        StackName="stack", ChangeSetName="proposed", WaiterConfig=quick
    )
    cloudformation.execute_change_set(StackName="stack", ChangeSetName="proposed")
    cloudformation.get_waiter("stack_create_complete").wait(StackName="stack", WaiterConfig=quick)
    sandbox.deploy(template({"A": log("b")}))
    cloudformation.get_waiter("stack_update_complete").wait(StackName="stack", WaiterConfig=quick)
    sandbox.propose(template({"A": log("b")}))
    with pytest.raises(WaiterError, match="terminal failure state"):
        cloudformation.get_waiter("change_set_create_complete").wait(
            StackName="stack", ChangeSetName="proposed", WaiterConfig=quick
        )
    sandbox.delete()
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="stack", WaiterConfig=quick)


def test_the_same_name_twice(sandbox: Sandbox) -> None:
    sandbox.deploy(template({"A": log("a")}))
    with pytest.raises(ClientError) as raised:
        sandbox.cloudformation.create_stack(StackName="stack", TemplateBody=template({"A": log("b")}))
    assert raised.value.response["Error"]["Code"] == "AlreadyExistsException"


def test_accounts_and_regions_do_not_see_each_other(sandbox: Sandbox) -> None:
    from standin.cloudformation import inprocess

    sandbox.deploy(template({"A": log("a")}))
    for account, region in (("999999999999", sandbox.region), (sandbox.account, "us-east-1")):
        other = inprocess.client(sandbox.engine, sandbox.others, account, region)
        assert other.list_stacks()["StackSummaries"] == []


def test_no_echo(sandbox: Sandbox) -> None:
    text = template({"A": log("a")}, Parameters={"Secret": {"Type": "String", "NoEcho": True}})
    sandbox.deploy(text, Secret="hidden")
    stack = sandbox.cloudformation.describe_stacks(StackName="stack")["Stacks"][0]
    assert stack["Parameters"] == [{"ParameterKey": "Secret", "ParameterValue": "****"}]


@pytest.mark.parametrize(
    ("action", "asked", "message"),
    [
        ("create_stack", {"StackName": "s", "TemplateBody": "{}", "RoleARN": "arn:aws:iam::123456789012:role/x"}, "CreateStack: RoleARN is not supported"),
        ("create_stack", {"StackName": "s", "TemplateURL": "https://x/y"}, "the stand-in reads no TemplateURL"),
        ("list_exports", {}, "ListExports is not supported by Slipway's stand-in"),
        ("create_stack_set", {"StackSetName": "s"}, "CreateStackSet is not supported by Slipway's stand-in"),
    ],
)  # fmt: skip
def test_what_the_api_does_not_do_is_refused_by_name(
    sandbox: Sandbox, action: str, asked: Any, message: str
) -> None:
    with pytest.raises(ClientError, match=message):
        getattr(sandbox.cloudformation, action)(**asked)


def test_the_same_requests_give_the_same_ids(sandbox: Sandbox) -> None:
    from standin.cloudformation import CloudFormation

    def ids(engine: CloudFormation) -> list[str]:
        box = Sandbox(engine, sandbox.others, sandbox.account, sandbox.region)
        box.deploy(template({"A": log()}), "one")
        found = box.cloudformation.describe_stack_events(StackName="one")["StackEvents"]
        names = [*box.physical("one").values(), *(event["EventId"] for event in found), found[0]["StackId"]]
        box.delete("one")
        return names

    assert ids(sandbox.engine) == ids(CloudFormation(sandbox.others))
    assert ids(sandbox.engine) != ids(CloudFormation(sandbox.others)), (
        "a second stack of that name is another one"
    )


def test_after_a_failure_without_rollback_the_next_update_finishes_the_work(sandbox: Sandbox) -> None:
    first = template({"A": log("a"), "C": log("c")})
    sandbox.deploy(first)
    broken = json.loads(template({"A": log("a2"), "C": log("c"), "B": {**BAD, "DependsOn": ["A", "C"]}}))
    sandbox.cloudformation.update_stack(
        StackName="stack", TemplateBody=json.dumps(broken), DisableRollback=True
    )
    assert sandbox.status() == "UPDATE_FAILED"
    fixed = json.loads(json.dumps(broken))
    fixed["Resources"]["B"] = after("A", "C", name="b")
    found = sandbox.propose(json.dumps(fixed))
    assert ("Add", "B") in [
        (item["ResourceChange"]["Action"], item["ResourceChange"]["LogicalResourceId"])
        for item in found["Changes"]
    ]
    sandbox.cloudformation.execute_change_set(StackName="stack", ChangeSetName="proposed")
    assert sandbox.status() == "UPDATE_COMPLETE"
    assert groups(sandbox) == {"a2": 7, "b": 7, "c": 7}, "what was replaced before the failure is gone now"
    assert sandbox.drift() == {}


def test_a_stack_that_failed_without_rollback_is_deleted_whole(sandbox: Sandbox) -> None:
    sandbox.deploy(template({"A": log("a")}))
    sandbox.cloudformation.update_stack(
        StackName="stack",
        TemplateBody=template({"A": log("a2"), "B": {**BAD, "DependsOn": "A"}}),
        DisableRollback=True,
    )
    assert groups(sandbox) == {"a": 7, "a2": 7}
    assert sandbox.delete() is None
    assert groups(sandbox) == {}


def test_a_creation_without_rollback_can_be_continued(sandbox: Sandbox) -> None:
    broken = template({"A": log("a"), "B": {**BAD, "DependsOn": "A"}})
    sandbox.cloudformation.create_stack(StackName="stack", TemplateBody=broken, OnFailure="DO_NOTHING")
    assert sandbox.deploy(template({"A": log("a"), "B": after("A", name="b")})) == "UPDATE_COMPLETE"
    assert groups(sandbox) == {"a": 7, "b": 7}


def test_a_stack_whose_rollback_failed_is_deleted_whole(sandbox: Sandbox) -> None:
    sandbox.deploy(two_rules())
    second = json.loads(two_rules())
    second["Resources"]["G"]["Properties"]["RetentionInDays"] = 30
    second["Resources"]["N"] = after("G", name="new")
    second["Resources"]["H"] = {**BAD, "DependsOn": "N"}
    engine, logs = sandbox.engine, sandbox.aws("logs")
    clock = engine.world.clock

    def deleting() -> Any:
        if ("H", "UPDATE_FAILED") in sandbox.events() and "g" in groups(sandbox):
            logs.delete_log_group(logGroupName="g")
        return clock()

    engine.world.clock = deleting
    assert sandbox.deploy(json.dumps(second)) == "UPDATE_ROLLBACK_FAILED"
    engine.world.clock = clock
    assert groups(sandbox) == {"h": 7, "new": 7}
    assert sandbox.delete() is None
    assert groups(sandbox) == {}


def test_what_failed_to_come_is_made_by_the_next_update(sandbox: Sandbox) -> None:
    logs = sandbox.aws("logs")
    logs.create_log_group(logGroupName="taken")
    text = template({"A": log("a"), "B": after("A", name="taken")})
    sandbox.cloudformation.create_stack(StackName="stack", TemplateBody=text, OnFailure="DO_NOTHING")
    assert (sandbox.status(), sandbox.physical()["B"]) == ("CREATE_FAILED", "")
    logs.delete_log_group(logGroupName="taken")
    assert sandbox.deploy(text) == "UPDATE_COMPLETE"
    assert (groups(sandbox), sandbox.physical()["B"]) == ({"a": 7, "taken": 7}, "taken")


def test_each_event_is_later_than_the_one_before(sandbox: Sandbox) -> None:
    now = sandbox.engine.world.clock()
    sandbox.engine.world.clock = lambda: now  # as while the gate's journal is replayed
    sandbox.deploy(template({"A": log("a")}))
    times = [
        event["Timestamp"]
        for event in sandbox.cloudformation.describe_stack_events(StackName="stack")["StackEvents"]
    ]
    assert times == sorted(set(times), reverse=True)
    assert len(times) == 6
