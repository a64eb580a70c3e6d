"""Production's templates on the stand-in's CloudFormation: first plan, first deployment, and what follows."""

import pytest

from ci.problem import Problem
from infra.environment import CONCERNS
from tests.integration.infra.conftest import Account, account
from tests.integration.infra.world import World

RESOURCES = {
    "network": 35, "cluster": 14, "database": 6, "registry": 3, "dns": 2, "identity": 9, "events": 4,
}  # fmt: skip


def stacks(account: Account) -> list[str]:
    pages = account.clients("cloudformation").describe_stacks()["Stacks"]
    return sorted(item["StackName"] for item in pages)


def test_the_first_plan_shows_everything_and_leaves_nothing(production: Account) -> None:
    planned = production.plan()
    assert {item.stack.rsplit("-", 1)[-1]: len(item.rows) for item in planned} == RESOURCES
    assert {(item.state, row.action) for item in planned for row in item.rows} == {("new", "Add")}
    assert stacks(production) == []


def test_apply_makes_what_was_planned_and_then_has_nothing_to_do(production: Account) -> None:
    planned = {row.key: row.type for item in production.plan() for row in item.rows}
    assert production.apply() == dict.fromkeys(CONCERNS, "created")
    made = {(event.stack, event.resource): event.type for event in production.events
            if event.status == "CREATE_COMPLETE" and not event.about_stack}  # fmt: skip
    assert made == planned
    before = len(production.events)
    assert production.apply() == dict.fromkeys(CONCERNS, "unchanged")
    assert len(production.events) == before
    assert {item.state for item in production.plan()} == {"unchanged"}
    assert production.drift() == []


def test_stacks_and_their_parts_are_tagged_and_protected(standing: Account) -> None:
    for found in standing.clients("cloudformation").describe_stacks()["Stacks"]:
        tags = {tag["Key"]: tag["Value"] for tag in found["Tags"]}
        assert tags == {"slipway:environment": "production", "slipway:stack": found["StackName"]}
        assert found["EnableTerminationProtection"] is True
    vpcs = standing.clients("ec2").describe_vpcs(
        Filters=[{"Name": "tag:slipway:environment", "Values": ["production"]}]
    )["Vpcs"]
    assert [vpc["CidrBlock"] for vpc in vpcs] == ["10.20.0.0/16"]


def test_outputs_of_every_stack_are_told(standing: Account) -> None:
    told = standing.outputs()
    assert list(told) == list(CONCERNS)
    assert told["network"]["PrivateSubnetIds"].count("subnet-") == 3
    assert told["cluster"]["OidcProviderArn"].endswith(told["cluster"]["Issuer"])
    assert (
        told["identity"]["GithubRoleArn"]
        == f"arn:aws:iam::{standing.environment.wiring.account}:role/role-github"
    )


def test_the_secret_is_what_the_product_reads(standing: Account) -> None:
    import json

    text = standing.clients("secretsmanager").get_secret_value(SecretId="database-secrets")["SecretString"]
    secret = json.loads(text)
    assert {"host", "port", "username", "password", "dbname"} <= set(secret)
    told = standing.outputs()["database"]
    assert (secret["host"], str(secret["port"])) == (told["Endpoint"], told["Port"])
    assert (secret["username"], secret["dbname"], len(secret["password"])) == ("slipway", "slipway", 40)


def test_a_plan_that_was_killed_is_no_hindrance(production: Account) -> None:
    """It leaves a stack that only waits for a change set."""
    client = production.clients("cloudformation")
    network = production.stacks[0]
    values = [{"ParameterKey": name, "ParameterValue": value} for name, value in network.inputs.items()]
    client.create_change_set(
        StackName=network.name, ChangeSetName="killed", ChangeSetType="CREATE", TemplateBody=network.template,
        Parameters=values, Capabilities=["CAPABILITY_NAMED_IAM"],
    )  # fmt: skip
    assert production.plan()[0].state == "new"
    assert production.apply()["network"] == "created"


def test_a_failed_creation_names_resource_and_reason_and_the_same_command_goes_on(
    production: Account,
) -> None:
    iam = production.clients("iam")
    iam.create_role(RoleName="role-github", AssumeRolePolicyDocument="{}")
    with pytest.raises(Problem) as caught:
        production.apply()
    assert "stack slipway-production-identity: Github (AWS::IAM::Role) failed: " in caught.value.what
    assert "already exists" in caught.value.what
    planned = production.plan()
    assert [item.state for item in planned] == ["unchanged"] * 5 + ["new", "new"]
    assert len(planned[5].rows) == RESOURCES["identity"]
    assert planned[5].note == "ROLLBACK_COMPLETE: what is left of it is removed first"
    iam.delete_role(RoleName="role-github")
    assert list(production.apply().values()) == ["unchanged"] * 5 + ["created", "created"]
    assert production.drift() == []


def test_a_failed_update_is_rolled_back_named_and_continued(deployed: Account) -> None:
    iam = deployed.clients("iam")
    iam.create_role(RoleName="role-taken", AssumeRolePolicyDocument="{}")
    deployed.rewire(role_db_migrator="role-taken")
    before = deployed.outputs()
    with pytest.raises(Problem) as caught:
        deployed.apply()
    assert "stack slipway-production-identity: DbMigrator (AWS::IAM::Role) failed: " in caught.value.what
    state = deployed.clients("cloudformation").describe_stacks(StackName="slipway-production-identity")
    assert state["Stacks"][0]["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert deployed.outputs() == before
    assert iam.get_role(RoleName="role-for-db-migrator")
    iam.delete_role(RoleName="role-taken")
    assert deployed.apply()["identity"] == "updated"
    assert deployed.drift() == []


def test_a_replacement_that_the_plan_did_not_show_is_refused(standing: Account) -> None:
    standing.rewire(role_db_migrator="role-for-migrations")
    (row,) = [row for item in standing.plan() for row in item.rows]
    assert (row.resource, row.action, row.why) == (
        "DbMigrator",
        "Replace",
        "RoleName (recreates) <- RoleDbMigrator",
    )
    with pytest.raises(
        Problem, match=r"DbMigrator \(AWS::IAM::Role\) would be replaced, which the plan did not show"
    ):
        standing.apply(agreed=set())
    assert standing.apply(agreed={row.key})["identity"] == "updated"


def test_what_a_replacement_upstream_changes_is_planned_downstream(standing: Account) -> None:
    before = standing.environment
    standing.rewire(domain="slipway.example.net", host="ledger.slipway.example.net")
    rows = {row.key[1]: row for item in standing.plan() for row in item.rows}
    assert rows["Zone"].action == "Replace"
    assert rows["Certificate"].action == "Replace"
    assert rows["ExternalDns"].action == "Modify"
    standing.environment = before


def test_two_environments_live_side_by_side(standing: Account, world: World) -> None:
    local = account(world, "local")
    local.apply()
    assert local.drift() == []
    assert standing.drift() == []
    assert local.outputs()["network"]["VpcId"] != standing.outputs()["network"]["VpcId"]
