"""Whom trust policies for ServiceAccounts let in, written well and written badly."""

from typing import Any

import pytest

from policies.iam import Policy, parse
from policies.iam.reach import Reach, reach
from policies.iam.service_account import ServiceAccount, adversaries, rightful
from policies.iam.trust import WEB_IDENTITY, provider_arn
from tests.unit.policies.iam.documents import ROLE

ISSUER = "oidc.eks.ap-northeast-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"
OURS = ServiceAccount("main", "account-to-access-secrets", f"https://{ISSUER}")
AUD, SUB = f"{ISSUER}:aud", f"{ISSUER}:sub"
SUBJECT = "system:serviceaccount:main:account-to-access-secrets"
OUTSIDE = {"any-account", "any-user", "own-account", "anonymous", "saml", "service-ec2", "service-lambda",
           "service-ecs-tasks", "service-pods"}  # fmt: skip
EVERYBODY = {caller.id for caller in adversaries(OURS, ROLE)}
OTHER_ISSUERS = {"other-cluster", "cluster-suffix", "github"}
ACCOUNTS = {"default-account", "name-suffix", "name-prefix", "name-typo", "name-case", "name-longer"}
NAMESPACES = {"other-namespace", "namespace-suffix", "namespace-prefix", "system-namespace"}


def trust(condition: dict[str, Any], principal: Any = None) -> Policy:
    federated = principal or {"Federated": provider_arn("123456789012", ISSUER)}
    body = {"Effect": "Allow", "Principal": federated, "Action": WEB_IDENTITY, "Condition": condition}
    return parse({"Version": "2012-10-17", "Statement": [body]}, "trust")


def let_in(policy: Policy) -> set[str]:
    verdict = reach(policy, rightful(OURS, ROLE), adversaries(OURS, ROLE))
    assert verdict.shut_out == ()
    return {caller.id for caller in verdict.let_in}


def like(subject: str) -> dict[str, Any]:
    return {"StringEquals": {AUD: "sts.amazonaws.com"}, "StringLike": {SUB: subject}}


def test_the_right_trust_policy_lets_in_exactly_its_service_account() -> None:
    exact = trust({"StringEquals": {AUD: "sts.amazonaws.com", SUB: SUBJECT}})
    assert reach(exact, rightful(OURS, ROLE), adversaries(OURS, ROLE)) == Reach((), ())
    assert [caller.id for caller in rightful(OURS, ROLE)] == ["itself"]


def test_callers_have_ids_of_their_own() -> None:
    callers = adversaries(OURS, ROLE)
    assert len({caller.id for caller in callers}) == len(callers) == 31


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (like(f"{SUBJECT}*"), {"name-suffix", "name-longer"}),
        (like(f"{SUBJECT}-*"), None),
        (like("system:serviceaccount:main:*account-to-access-secrets"), {"name-prefix"}),
        (like("system:serviceaccount:main:account-to-access-secret?"), {"name-typo"}),
        (like("system:serviceaccount:main:*"), ACCOUNTS),
        (like("system:serviceaccount:*:account-to-access-secrets"), NAMESPACES),
        (like("system:serviceaccount:main*:account-to-access-secrets"), {"namespace-suffix"}),
        (like("system:serviceaccount:*main:account-to-access-secrets"), {"namespace-prefix"}),
        (like("system:serviceaccount:*"), ACCOUNTS | NAMESPACES | {"any"}),
        (like("system:*"), ACCOUNTS | NAMESPACES | {"any", "node"}),
        ({"StringEquals": {SUB: SUBJECT}}, {"no-audience", "cluster-audience", "other-audience"}),
        ({"StringLike": {AUD: "*", SUB: SUBJECT}}, {"cluster-audience", "other-audience"}),
        (
            {"StringEquals": {AUD: "sts.amazonaws.com"}},
            ACCOUNTS | NAMESPACES | {"any", "node", "no-subject", "empty-subject"},
        ),
        ({"StringEqualsIgnoreCase": {AUD: "sts.amazonaws.com", SUB: SUBJECT}}, {"name-case"}),
        (
            {"StringEqualsIfExists": {AUD: "sts.amazonaws.com", SUB: SUBJECT}},
            {"no-audience", "no-subject", "neither"},
        ),
        (
            {"ForAllValues:StringEquals": {AUD: "sts.amazonaws.com", SUB: SUBJECT}},
            {"no-audience", "no-subject", "empty-subject", "neither"},
        ),
        ({"ForAnyValue:StringEquals": {AUD: "sts.amazonaws.com", SUB: SUBJECT}}, set()),
        ({}, EVERYBODY - OUTSIDE - OTHER_ISSUERS),
    ],
)
def test_each_way_of_being_loose_is_found(condition: dict[str, Any], expected: set[str] | None) -> None:
    if expected is None:
        verdict = reach(trust(condition), rightful(OURS, ROLE), adversaries(OURS, ROLE))
        assert ({caller.id for caller in verdict.let_in}, verdict.shut_out) == (
            {"name-suffix"},
            rightful(OURS, ROLE),
        )
    else:
        assert let_in(trust(condition)) == expected


def test_any_provider_with_conditions_on_ours_is_still_ours_alone() -> None:
    # The other cluster's token has keys of its own issuer, so ours are absent: StringEquals fails, IfExists does not.
    exact = {"StringEquals": {AUD: "sts.amazonaws.com", SUB: SUBJECT}}
    lenient = {"StringEqualsIfExists": {AUD: "sts.amazonaws.com", SUB: SUBJECT}}
    assert let_in(trust(exact, {"Federated": "*"})) == set()
    assert let_in(trust(lenient, {"Federated": "*"})) >= OTHER_ISSUERS


def test_the_trust_policy_of_another_cluster_is_found() -> None:
    other = provider_arn("123456789012", f"{ISSUER}0")
    key = f"{ISSUER}0"
    given = trust(
        {"StringEquals": {f"{key}:aud": "sts.amazonaws.com", f"{key}:sub": SUBJECT}}, {"Federated": other}
    )
    verdict = reach(given, rightful(OURS, ROLE), adversaries(OURS, ROLE))
    assert [caller.id for caller in verdict.let_in] == ["cluster-suffix"]
    assert [caller.id for caller in verdict.shut_out] == ["itself"]


@pytest.mark.parametrize("name", ["default", "a", "aa"])
def test_callers_differ_from_ours_whatever_its_name(name: str) -> None:
    ours = ServiceAccount("default", name, "https://issuer.example/aa")
    itself = rightful(ours, ROLE)[0].request
    assert all(caller.request != itself for caller in adversaries(ours, ROLE))
