"""Whom trust policies for GitHub let in, written well and written badly."""

from typing import Any

import pytest

from policies.iam import Policy, parse
from policies.iam.reach import Reach, reach
from policies.iam.repository import Repository, adversaries, rightful
from policies.iam.trust import GITHUB, WEB_IDENTITY, provider_arn
from tests.unit.policies.iam.documents import ROLE

OURS = Repository("acme", "slipway", "1001001", "2002002")
NAME = "repo:acme/slipway:ref:refs/tags/v*"
IDS = "repo:acme@1001001/slipway@2002002:ref:refs/tags/v*"
AUDIENCE = {f"{GITHUB}:aud": "sts.amazonaws.com"}
FEDERATED = {"Federated": provider_arn("123456789012", GITHUB)}


def trust(condition: dict[str, Any] | None, principal: Any = FEDERATED, action: Any = WEB_IDENTITY) -> Policy:
    body = {"Effect": "Allow", "Principal": principal, "Action": action, "Condition": condition or {}}
    return parse({"Version": "2012-10-17", "Statement": [body]})


def subject(*values: str, operator: str = "StringLike") -> dict[str, Any]:
    """Return conditions on the audience, exactly, and on the subject."""
    if operator == "StringEquals":
        return {"StringEquals": {**AUDIENCE, f"{GITHUB}:sub": list(values)}}
    return {"StringEquals": AUDIENCE, operator: {f"{GITHUB}:sub": list(values)}}


def ask(policy: Policy, ours: Repository = OURS) -> Reach:
    return reach(policy, rightful(ours, ROLE), adversaries(ours, ROLE))


def ids(verdict: Reach) -> tuple[set[str], set[str]]:
    return {caller.id for caller in verdict.let_in}, {caller.id for caller in verdict.shut_out}


def test_the_right_trust_policy_lets_in_the_tags_and_nobody_else() -> None:
    assert ask(trust(subject(NAME, IDS))) == Reach((), ())


def test_callers_have_ids_of_their_own() -> None:
    callers = [*rightful(OURS, ROLE), *adversaries(OURS, ROLE)]
    assert len({caller.id for caller in callers}) == len(callers) == 75
    assert len(rightful(OURS, ROLE)) == 6


def test_without_ids_only_the_form_by_name_is_required() -> None:
    ours = Repository("acme", "slipway")
    assert ask(trust(subject(NAME)), ours) == Reach((), ())
    assert ids(ask(trust(subject(NAME)))) == (
        set(),
        {"tag-v1.2.3-ids", "tag-v0.0.1-ids", "tag-v10.20.30-ids"},
    )


def test_any_id_lets_in_whoever_registers_the_names_again() -> None:
    assert ids(ask(trust(subject(NAME, "repo:acme@*/slipway@*:ref:refs/tags/v*")))) == (
        {"name-taken-over", "repository-made-again"},
        set(),
    )
    assert ids(ask(trust(subject(NAME, IDS, "repo:acme@1001001/slipway@*:ref:refs/tags/v*"))))[0] == {
        "repository-made-again"
    }


JOBS = {"branch-main", "branch-v1.2.3", "branch-refs/tags/v1.2.3", "tag-nightly", "tag-x-v1.2.3", "tag-V1.2.3",
        "pull-request", "environment", "environment-branch", "workflow-subject"}  # fmt: skip


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (["repo:acme/slipway:*"], {f"{job}-name" for job in JOBS}),
        (["repo:acme/slipway:ref:*"], {"branch-main-name", "branch-v1.2.3-name", "branch-refs/tags/v1.2.3-name",
                                       "tag-nightly-name", "tag-x-v1.2.3-name", "tag-V1.2.3-name"}),
        (["repo:acme/slipway:ref:refs/tags/*"], {"tag-nightly-name", "tag-x-v1.2.3-name", "tag-V1.2.3-name"}),
        (["repo:acme/slipway:ref:refs/*/v*"], {"branch-v1.2.3-name", "branch-refs/tags/v1.2.3-name"}),
        (["repo:acme/slipway:*tags/v*"], {"branch-refs/tags/v1.2.3-name"}),
        (["repo:acme/slipway:*refs/tags/v*"], {"branch-refs/tags/v1.2.3-name"}),
        (["repo:acme/slipway:ref:refs/tags/?1.2.3"], {"tag-V1.2.3-name"}),
        (["repo:acme/slipway:pull_request"], {"pull-request-name"}),
        (["repo:acme/slipway:environment:production"], {"environment-name"}),
        (["repo:acme/slipway:environment:*"], {"environment-name", "environment-branch-name"}),
        (["repo:acme/slipway:ref:refs/heads/main"], {"branch-main-name"}),
        (["repo:acme/slipway*:ref:refs/tags/v*"], {"name-suffix-name"}),
        (["repo:acme/*slipway:ref:refs/tags/v*"], {"name-prefix-name"}),
        (["repo:acme/slipwa?:ref:refs/tags/v*"], {"name-typo-name"}),
        (["repo:acme/*:ref:refs/tags/v*"], {"same-owner-name", "name-suffix-name", "name-prefix-name", "name-typo-name",
                                            "name-case-name"}),
        (["repo:acme*/slipway:ref:refs/tags/v*"], {"owner-suffix-name"}),
        (["repo:*acme/slipway:ref:refs/tags/v*"], {"owner-prefix-name"}),
        (["repo:acm?/slipway:ref:refs/tags/v*"], {"owner-typo-name"}),
        (["repo:*/slipway:ref:refs/tags/v*"], {"fork-name", "owner-suffix-name", "owner-prefix-name", "owner-typo-name",
                                               "owner-case-name"}),
        (["repo:ACME/slipway:ref:refs/tags/v*"], {"owner-case-name"}),
        (["*job_workflow_ref:acme/slipway/*"], {"subject-is-our-workflow-name", "subject-is-our-workflow-ids"}),
        (["repo:acme@1001001/*:ref:refs/tags/v*"], {"same-owner-ids", "name-suffix-ids", "name-prefix-ids",
                                                    "name-typo-ids", "name-case-ids", "repository-made-again"}),
    ],
)  # fmt: skip
def test_a_loose_subject_lets_in_exactly_those_it_fits(patterns: list[str], expected: set[str]) -> None:
    assert ids(ask(trust(subject(*patterns))))[0] == expected


EVERYBODY = {caller.id for caller in adversaries(OURS, ROLE)}
OUTSIDE = {"any-account", "any-user", "own-account", "anonymous", "saml", "service-ec2", "service-lambda",
           "service-ecs-tasks", "service-pods"}  # fmt: skip
ISSUERS = {"other-issuer", "enterprise-issuer", "cognito"}
NO_AUDIENCE = {
    f"{kind}-{form}"
    for kind in ("no-audience", "owner-audience", "other-audience")
    for form in ("name", "ids")
}
NO_SUBJECT = {"no-subject", "empty-subject", "no-claims"}


def test_no_condition_lets_in_every_token_of_the_issuer() -> None:
    assert ids(ask(trust(None))) == (EVERYBODY - OUTSIDE - ISSUERS, set())


def test_a_condition_on_the_audience_alone_lets_in_every_repository() -> None:
    let_in = EVERYBODY - OUTSIDE - ISSUERS - NO_AUDIENCE - {"no-claims"}
    assert ids(ask(trust({"StringEquals": AUDIENCE}))) == (let_in, set())


def test_no_condition_on_the_audience() -> None:
    assert ids(ask(trust({"StringLike": {f"{GITHUB}:sub": [NAME, IDS]}}))) == (NO_AUDIENCE, set())


def test_a_star_under_string_equals_lets_in_nobody() -> None:
    verdict = ask(trust(subject(NAME, IDS, operator="StringEquals")))
    assert verdict.let_in == ()
    assert verdict.shut_out == rightful(OURS, ROLE)


def test_for_all_values_lets_in_tokens_without_the_claim() -> None:
    assert ids(ask(trust(subject(NAME, IDS, operator="ForAllValues:StringLike")))) == (
        {"no-subject", "empty-subject"},
        set(),
    )
    assert ids(ask(trust(subject(NAME, IDS, operator="ForAnyValue:StringLike")))) == (set(), set())
    assert ids(ask(trust(subject(NAME, IDS, operator="StringLikeIfExists")))) == ({"no-subject"}, set())
    every = {"ForAllValues:StringLike": {f"{GITHUB}:aud": "sts.amazonaws.com", f"{GITHUB}:sub": [NAME, IDS]}}
    assert ids(ask(trust(every)))[0] == NO_SUBJECT | {"no-audience-name", "no-audience-ids"}


def test_a_negated_subject_lets_in_the_others() -> None:
    let_in, shut_out = ids(ask(trust(subject("repo:mallory/*", operator="StringNotLike"))))
    assert {"same-owner-name", "owner-suffix-name", "branch-main-name", "no-subject"} <= let_in
    assert shut_out == set()


def test_conditions_on_other_claims_are_understood() -> None:
    exact = {
        "StringEquals": {**AUDIENCE, f"{GITHUB}:repository_id": "2002002"},
        "StringLike": {f"{GITHUB}:ref": "refs/tags/v*"},
    }
    assert ids(ask(trust(exact))) == ({"environment-name", "environment-ids"}, set())
    owner = {
        "StringEquals": {**AUDIENCE, f"{GITHUB}:repository_owner": "acme"},
        "StringLike": {f"{GITHUB}:ref": "refs/tags/v*"},
    }
    let_in = ids(ask(trust(owner)))[0]
    assert {"same-owner-name", "same-owner-ids", "name-taken-over"} <= let_in
    assert not {"fork-name", "owner-case-ids", "branch-main-name"} & let_in
    workflow = {
        "StringEquals": AUDIENCE,
        "StringLike": {f"{GITHUB}:job_workflow_ref": "acme/slipway/*@refs/tags/v*"},
    }
    assert {"calls-our-workflow-name", "subject-is-our-workflow-ids"} <= ids(ask(trust(workflow)))[0]


def test_who_may_come_is_understood_however_it_is_written() -> None:
    good = subject(NAME, IDS)
    assert ids(ask(trust(good, "*", "sts:*")))[0] == set()
    assert ids(ask(trust({}, "*", "sts:AssumeRole")))[0] == OUTSIDE - {"saml"}
    assert ids(ask(trust({}, {"AWS": "*"}, "sts:*")))[0] == EVERYBODY
    assert ids(ask(trust({}, {"AWS": "123456789012"}, "sts:AssumeRole")))[0] == {"own-account"}
    assert ids(ask(trust({}, {"AWS": "999999999999"}, "sts:*")))[0] == {"any-account", "any-user"}
    assert ids(ask(trust({}, {"Service": "ec2.amazonaws.com"}, "sts:AssumeRole")))[0] == {"service-ec2"}
    assert ids(ask(trust({}, {"Federated": "*"}, "sts:*")))[0] == EVERYBODY - OUTSIDE | {"saml"}
    gitlab = {"Federated": provider_arn("123456789012", "gitlab.com")}
    assert ids(ask(trust({}, gitlab)))[0] == {"other-issuer"}


def test_a_second_statement_can_open_the_door_and_a_deny_can_close_it() -> None:
    def document(*bodies: dict[str, Any]) -> Policy:
        return parse(
            {
                "Version": "2012-10-17",
                "Statement": [{"Action": WEB_IDENTITY, "Principal": FEDERATED, **body} for body in bodies],
            }
        )

    loose = {"Effect": "Allow", "Condition": subject("repo:acme/*", IDS)}
    good = {"Effect": "Allow", "Condition": subject(NAME, IDS)}
    deny = {"Effect": "Deny", "Condition": {"StringNotLike": {f"{GITHUB}:sub": [NAME, IDS]}}}
    assert "pull-request-name" in ids(ask(document(good, loose)))[0]
    assert ask(document(good, loose, deny)) == Reach((), ())


def test_a_caller_says_who_it_is() -> None:
    callers = {caller.id: caller for caller in adversaries(OURS, ROLE)}
    assert callers["owner-suffix-name"].who == (
        "an owner whose name begins like ours, acme-evil/slipway (sub repo:acme-evil/slipway:ref:refs/tags/v1.2.3)"
    )
    assert (
        callers["pull-request-name"].who
        == "a pull request, from a fork too (sub repo:acme/slipway:pull_request)"
    )
