"""What a role's policies permit beyond its needs."""

from typing import Any

import pytest

from policies.iam import Policy, Request, decide
from policies.iam.excess import Need, excess, missing, permits
from policies.iam.witness import example, witnesses
from tests.unit.policies.iam.documents import policy, statement

ACCOUNT = "123456789012"
SECRET = f"arn:aws:secretsmanager:ap-northeast-1:{ACCOUNT}:secret:database-secrets-??????"
ZONE = "arn:aws:route53:::hostedzone/Z123"
REPOSITORY = f"arn:aws:ecr:ap-northeast-1:{ACCOUNT}:repository/eks-app"
READ = ("secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue")
NEEDS = tuple(Need(action, SECRET) for action in READ)


def found(given: Policy, *needs: Need) -> set[tuple[str, str]]:
    return {(request.action, request.resource) for request in excess([given], needs or NEEDS, ACCOUNT)}


def services(given: Policy, *needs: Need) -> set[str]:
    return {action.partition(":")[0] for action, _ in found(given, *needs)}


def test_exactly_what_is_needed_is_no_excess() -> None:
    given = policy(statement(Action=list(READ), Resource=SECRET))
    assert found(given) == set()
    assert missing([given], NEEDS) == ()


def test_what_is_missing_is_told() -> None:
    assert missing([policy(statement(Action=READ[0], Resource=SECRET))], NEEDS) == (NEEDS[1],)
    elsewhere = policy(statement(Action=list(READ), Resource=SECRET.replace("database", "other")))
    assert missing([elsewhere], NEEDS) == NEEDS
    assert missing([], NEEDS) == NEEDS
    denied = policy(statement(Action=list(READ), Resource=SECRET), statement("Deny", Action=READ[1]))
    assert missing([denied], NEEDS) == (NEEDS[1],)


@pytest.mark.parametrize(
    ("resource", "example"),
    [
        (SECRET.replace("??????", "*"), "database-secrets-slipway-probe"),
        (SECRET.replace("database-secrets-??????", "*"), "secret:slipway-probe"),
        (SECRET.replace(ACCOUNT, "*"), "999999999999:secret:database-secrets-xxxxxx"),
        (SECRET.replace("ap-northeast-1", "*"), "eu-central-1:123456789012:secret:database-secrets-xxxxxx"),
        ("arn:aws:secretsmanager:*", "secret:slipway-probe"),
        ("*", "secret:slipway-probe"),
        ("*", "999999999999:secret:database-secrets-xxxxxx"),
        ("*", "eu-central-1:123456789012:secret:database-secrets-xxxxxx"),
        ("*", "secret:database-secrets-xxxxxx-slipway-probe"),
    ],
)
def test_another_secret_is_found(resource: str, example: str) -> None:
    given = policy(statement(Action=list(READ), Resource=resource))
    assert any(action == READ[1] and about.endswith(example) for action, about in found(given))
    assert services(given) == {"secretsmanager"}


@pytest.mark.parametrize(
    ("action", "examples"),
    [
        ("secretsmanager:*", {"secretsmanager:PutSecretValue", "secretsmanager:DeleteSecret"}),
        ("SecretsManager:Put*", {"secretsmanager:PutSecretValue", "secretsmanager:PutResourcePolicy"}),
        (["secretsmanager:Get*", "secretsmanager:DeleteSecret"], {"secretsmanager:DeleteSecret"}),
        ("secretsmanager:GetRandomPassword", {"secretsmanager:GetRandomPassword"}),
        ("unheard:OfService", {"unheard:OfService"}),
        ("unheard:*", {"unheard:slipway-probe"}),
    ],
)
def test_another_action_is_found(action: Any, examples: set[str]) -> None:
    given = policy(statement(Action=action, Resource=[SECRET, "arn:aws:unheard:::x"]))
    assert examples <= {action for action, _ in found(given)}


@pytest.mark.parametrize(
    "body",
    [
        statement(Action="iam:*"),
        statement(Action="iam:Pass*", Resource=f"arn:aws:iam::{ACCOUNT}:role/*"),
        statement(Action="iam:PassRole", Resource=f"arn:aws:iam::{ACCOUNT}:role/admin"),
        statement(Action="sts:AssumeRole"),
        statement(Action="sts:AssumeRole", Resource="arn:aws:iam::999999999999:role/theirs"),
        statement(Action="*"),
        statement(NotAction="secretsmanager:*"),
        statement(NotAction=["s3:*"], NotResource=SECRET),
    ],
)
def test_what_makes_a_role_another_is_found(body: dict[str, Any]) -> None:
    given = policy(statement(Action=list(READ), Resource=SECRET), body)
    assert services(given) & {"iam", "sts"}
    assert missing([given], NEEDS) == ()


def test_not_action_reaches_services_that_nobody_thought_of() -> None:
    assert "slipway-probe" in services(policy(statement(NotAction="iam:*")))
    assert "slipway-probe" in services(policy(statement(Action="*")))


def test_a_deny_takes_the_excess_away() -> None:
    wide = statement(Action="secretsmanager:*", Resource=SECRET)
    but_reading = statement("Deny", NotAction=list(READ))
    assert found(policy(wide)) != set()
    assert found(policy(wide, but_reading)) == set()


def test_conditions_are_fulfilled_to_find_what_they_guard() -> None:
    for condition in (
        {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}},
        {"StringLike": {"aws:PrincipalTag/team": "a*"}, "Bool": {"aws:SecureTransport": "true"}},
        {"Null": {"aws:TokenIssueTime": "false"}},
        {"Null": {"aws:TokenIssueTime": "true"}},
        {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
        {
            "DateLessThan": {"aws:CurrentTime": "2030-01-01"},
            "DateGreaterThan": {"aws:EpochTime": "1764028800"},
        },
        {
            "NumericLessThan": {"s3:max-keys": "10"},
            "NumericGreaterThanEquals": {"aws:MultiFactorAuthAge": "5"},
        },
        {"ForAnyValue:StringLike": {"aws:TagKeys": ["x*"]}},
        {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:*:topic"}},
        {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}},
    ):
        given = policy(statement(Action="iam:CreateUser", Condition=condition))
        assert any(action == "iam:CreateUser" for action, _ in found(given)), condition


def test_a_need_with_a_context_covers_that_context_only() -> None:
    record = {"route53:ChangeResourceRecordSetsRecordTypes": ("A",)}
    need = Need("route53:ChangeResourceRecordSets", ZONE, record)
    narrow = statement(
        Action=need.action, Resource=ZONE,
        Condition={"ForAllValues:StringEquals": {"route53:ChangeResourceRecordSetsRecordTypes": ["A"]},
                   "Null": {"route53:ChangeResourceRecordSetsRecordTypes": "false"}},
    )  # fmt: skip
    assert missing([policy(narrow)], [need]) == ()
    assert found(policy(narrow), need) == set()
    wide = policy(statement(Action=need.action, Resource=ZONE))
    assert found(wide, need) == {(need.action, ZONE)}


def test_the_context_of_a_need_is_tried_on_other_actions_too() -> None:
    types = "route53:ChangeResourceRecordSetsRecordTypes"
    need = Need("route53:ChangeResourceRecordSets", ZONE, {types: ("A",)})
    given = policy(
        statement(Action="route53:*", Resource=ZONE),
        statement("Deny", Condition={"StringNotEquals": {types: "A"}}),
    )
    assert (need.action, ZONE) not in found(given, need)
    assert ("route53:DeleteHostedZone", ZONE) in found(given, need)


def test_the_product_s_other_roles() -> None:
    dns = [Need("route53:ChangeResourceRecordSets", ZONE), Need("route53:ListHostedZones", "*")]
    exact = policy(statement(Action=dns[0].action, Resource=ZONE), statement(Action=dns[1].action))
    assert found(exact, *dns) == set()
    every_zone = policy(
        statement(Action=[need.action for need in dns], Resource=["arn:aws:route53:::hostedzone/*", "*"])
    )
    assert (dns[0].action, "arn:aws:route53:::hostedzone/slipway-probe") in found(every_zone, *dns)
    push = [Need("ecr:PutImage", REPOSITORY), Need("ecr:GetAuthorizationToken", "*")]
    any_repository = policy(
        statement(Action="ecr:PutImage", Resource=REPOSITORY.replace("app", "*")),
        statement(Action=push[1].action),
    )
    assert ("ecr:PutImage", REPOSITORY.replace("app", "slipway-probe")) in found(any_repository, *push)
    assert ("ecr:PutImage", f"{REPOSITORY}-slipway-probe") in found(
        policy(statement(Action="ecr:*", Resource=f"{REPOSITORY}*")), *push
    )


def test_permits_is_a_plain_question() -> None:
    given = [
        policy(statement(Action="s3:*", Condition={"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}))
    ]
    assert permits(given, "s3:GetObject", "arn:aws:s3:::b", {"aws:RequestedRegion": ("eu-west-1",)})
    assert not permits(given, "s3:GetObject", "arn:aws:s3:::b")
    assert not permits(
        [policy(statement())], "s3:GetObject", "*", boundary=[policy(statement(Action="ec2:*"))]
    )


def test_an_example_fits_its_pattern() -> None:
    assert example("arn:*:s3:*:*:b-*/x?") == "arn:aws:s3:us-east-1:999999999999:b-slipway-probe/xx"
    assert example("arn:aws:s3:*") == "arn:aws:s3:us-east-1"
    assert example("s3:Get*") == "s3:Getslipway-probe"
    for pattern in ("*", "arn:aws:s3:*", "arn:*:s3:*:*:b-*/x?", SECRET, "arn:aws:ec2:eu-*-1:*:vpc/*"):
        assert decide(
            Request("a:b", example(pattern), {}), identity=[policy(statement(Resource=pattern))]
        ).allowed


def test_each_allow_has_a_witness() -> None:
    given = policy(
        statement(Action=["s3:*", "ecr:PutImage"], Resource=["arn:aws:s3:::b", "arn:aws:s3:::c*"]),
        statement("Deny", Action="ec2:*"),
        statement(NotAction="s3:*", NotResource="arn:aws:s3:::b"),
    )
    asked = {
        (request.action, request.resource)
        for request in witnesses(given, ("s3:GetObject", "iam:PassRole"), ("*",))
    }
    assert asked == {
        (action, resource)
        for action in ("s3:slipway-probe", "ecr:PutImage", "s3:GetObject")
        for resource in ("arn:aws:s3:::b", "arn:aws:s3:::cslipway-probe")
    } | {("iam:PassRole", "*")}
