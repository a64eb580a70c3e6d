"""How a token becomes a request."""

from policies.iam import decide, parse
from policies.iam.trust import GITHUB, provider_arn, web_identity
from tests.unit.policies.iam.documents import ROLE

PROVIDER = provider_arn("123456789012", f"https://{GITHUB}")
CLUSTER = "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/ABC"


def test_the_providers_arn_leaves_out_the_scheme() -> None:
    assert PROVIDER == "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
    assert provider_arn("1", GITHUB) == f"arn:aws:iam::1:oidc-provider/{GITHUB}"


def test_a_token_becomes_condition_keys_of_its_issuer() -> None:
    request = web_identity(
        ROLE, CLUSTER, {"aud": ["a", "b"], "sub": "s", "email": "e", "ref": "r"}, "session"
    )
    assert (request.action, request.resource) == ("sts:AssumeRoleWithWebIdentity", ROLE)
    assert request.principal == {"Federated": (CLUSTER,)}
    assert request.context == {
        "oidc.eks.eu-west-1.amazonaws.com/id/abc:aud": ("a", "b"),
        "oidc.eks.eu-west-1.amazonaws.com/id/abc:sub": ("s",),
        "aws:federatedprovider": (CLUSTER,),
        "sts:rolesessionname": ("session",),
    }


def test_sts_reads_more_of_githubs_claims_but_not_all() -> None:
    request = web_identity(ROLE, PROVIDER, {"sub": "s", "ref": "r", "repository_id": "1", "run_id": "2"})
    assert request.context == {
        f"{GITHUB}:sub": ("s",),
        f"{GITHUB}:ref": ("r",),
        f"{GITHUB}:repository_id": ("1",),
        "aws:federatedprovider": (PROVIDER,),
    }


def test_azp_takes_the_place_of_the_audience() -> None:
    context = web_identity(ROLE, CLUSTER, {"aud": "a", "azp": "z"}).context
    issuer = "oidc.eks.eu-west-1.amazonaws.com/id/abc"
    assert (context[f"{issuer}:aud"], context[f"{issuer}:oaud"]) == (("z",), ("a",))


def test_a_trust_policy_is_asked_as_a_resource_policy() -> None:
    trust = parse(
        {
            "Version": "2012-10-17",
            "Statement": {
                "Effect": "Allow",
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Principal": {"Federated": PROVIDER},
                "Condition": {"StringEquals": {f"{GITHUB}:sub": "s"}},
            },
        },
        "trust",
    )
    assert decide(web_identity(ROLE, PROVIDER, {"sub": "s"}), resource=[trust]).allowed
    refused = decide(web_identity(ROLE, PROVIDER, {"sub": "t"}), resource=[trust])
    assert refused.why.endswith(f"resource[0].Statement wants StringEquals {GITHUB}:sub 's', which is 't'")
    elsewhere = web_identity(ROLE, CLUSTER, {"sub": "s"})
    assert decide(elsewhere, resource=[trust]).why.endswith("resource[0].Statement names another principal")
