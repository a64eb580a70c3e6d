"""AssumeRoleWithWebIdentity: whom the trust policy names gets in, and nobody else."""

import base64
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import jwt
import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.unit.standin.cloud import ACCOUNT, OTHER, Cloud, federated, policy, refused, words
from tests.unit.standin.tokens import Issuer, segment, unsigned, with_claims

DENIED = ("AccessDenied", 403)
INVALID = ("InvalidIdentityToken", 400)
NOT_AUTHORIZED = "Not authorized to perform sts:AssumeRoleWithWebIdentity"


@dataclass
class Role:
    """A role that trusts one ServiceAccount of one cluster."""

    cloud: Cloud
    issuer: Issuer
    arn: str
    provider: str

    def refusal(self, token: str, **more: Any) -> tuple[tuple[str, int], str]:
        with pytest.raises(ClientError) as caught:
            self.cloud.assume(self.arn, token, **more)
        return refused(caught.value), words(caught.value)


@pytest.fixture
def role(cloud: Cloud, cluster: Issuer) -> Role:
    provider = cloud.trust(cluster)
    trust = federated(
        provider, sub="system:serviceaccount:main:account-to-access-secrets", aud="sts.amazonaws.com"
    )
    return Role(cloud, cluster, cloud.role("secrets-role", trust), provider)


def good(issuer: Issuer, **changes: Any) -> str:
    return issuer.service_account("main", "account-to-access-secrets", **changes)


def test_the_named_service_account_gets_a_session(role: Role) -> None:
    answer = role.cloud.anonymous().assume_role_with_web_identity(
        RoleArn=role.arn, RoleSessionName="pod", WebIdentityToken=good(role.issuer, aud=["sts.amazonaws.com"])
    )
    assert answer["SubjectFromWebIdentityToken"] == "system:serviceaccount:main:account-to-access-secrets"
    assert (answer["Audience"], answer["Provider"]) == ("sts.amazonaws.com", role.provider)
    assert answer["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/secrets-role/pod"
    made = answer["Credentials"]
    assert 3590 < made["Expiration"].timestamp() - time.time() <= 3600
    key = (made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])
    who = role.cloud.client("sts", key=key).get_caller_identity()
    assert who["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/secrets-role/pod"
    assert who["UserId"] == answer["AssumedRoleUser"]["AssumedRoleId"]
    assert who["Account"] == ACCOUNT


def test_two_sessions_have_nothing_in_common(role: Role) -> None:
    token = good(role.issuer)
    first, second = role.cloud.assume(role.arn, token), role.cloud.assume(role.arn, token)
    assert not set(first) & set(second)


@pytest.mark.parametrize(
    ("namespace", "name"),
    [
        ("main", "account-for-external-dns"),
        ("main", "account-to-access-secrets2"),
        ("main", "Account-to-access-secrets"),
        ("argocd", "account-to-access-secrets"),
        ("mai", "n:account-to-access-secrets"),
        ("*", "*"),
    ],
)
def test_another_service_account_or_namespace(role: Role, namespace: str, name: str) -> None:
    assert role.refusal(role.issuer.service_account(namespace, name)) == (DENIED, NOT_AUTHORIZED)


@pytest.mark.parametrize("audience", ["kubernetes", "", ["kubernetes"], "STS.amazonaws.com"])
def test_another_audience(role: Role, audience: Any) -> None:
    assert role.refusal(good(role.issuer, aud=audience)) == (INVALID, "Incorrect token audience")


@pytest.mark.parametrize("audience", [["sts.amazonaws.com", "kubernetes"], [], 7])
def test_an_audience_that_is_not_one(role: Role, audience: Any) -> None:
    assert role.refusal(good(role.issuer, aud=audience))[0] == INVALID


def test_the_authorized_party_counts_instead_of_the_audience(role: Role) -> None:
    role.cloud.assume(role.arn, good(role.issuer, aud=["a", "b"], azp="sts.amazonaws.com"))
    assert role.refusal(good(role.issuer, azp="somebody")) == (INVALID, "Incorrect token audience")


def test_an_audience_of_the_provider_that_the_role_does_not_want(cloud: Cloud, cluster: Issuer) -> None:
    provider = cloud.trust(cluster, "other")
    arn = cloud.role("r", federated(provider, aud="sts.amazonaws.com"))
    refusal = Role(cloud, cluster, arn, provider).refusal
    assert refusal(good(cluster, aud="other")) == (DENIED, NOT_AUTHORIZED)
    assert refusal(good(cluster)) == (INVALID, "Incorrect token audience")


def test_expired(role: Role) -> None:
    gone = int(time.time()) - 1
    found, said = role.refusal(good(role.issuer, exp=gone))
    assert found == ("ExpiredTokenException", 400)
    assert said.startswith("Token expired: current date/time ")
    assert said.endswith(f" must be before the expiration date/time {gone}")


@pytest.mark.parametrize("claim", ["nbf", "iat"])
def test_not_yet_valid(role: Role, claim: str) -> None:
    assert role.refusal(good(role.issuer, **{claim: int(time.time()) + 60}))[0] == INVALID


@pytest.mark.parametrize("claim", ["iss", "sub", "aud", "exp", "iat"])
def test_a_missing_claim(role: Role, claim: str) -> None:
    found, said = role.refusal(good(role.issuer, **{claim: None}))
    assert (found, said) == (INVALID, f"Missing a required claim: {claim}")


@pytest.mark.parametrize("claim", ["exp", "iat", "nbf"])
def test_a_time_that_is_none(role: Role, claim: str) -> None:
    token = good(role.issuer)
    claims = jwt.decode(token, options={"verify_signature": False})
    # PyJWT itself would refuse to make one with text in it
    signed = _raw(role.issuer, claims | {claim: "tomorrow"})
    assert role.refusal(signed)[0] == ("IDPRejectedClaim", 403)


def _raw(issuer: Issuer, claims: dict[str, Any]) -> str:
    return jwt.api_jws.encode(
        json.dumps(claims).encode(), issuer.key, issuer.algorithm, headers={"kid": issuer.kid}
    )


@pytest.mark.parametrize(
    "tamper",
    [
        lambda token: with_claims(token, sub="system:serviceaccount:kube-system:admin"),
        lambda token: with_claims(token, exp=int(time.time()) + 10**6),
        unsigned,
        lambda token: token.rpartition(".")[0] + ".",
        lambda token: token[:-8] + ("AAAAAAAA" if token[-8:] != "AAAAAAAA" else "BBBBBBBB"),
    ],
    ids=["subject", "time", "alg-none", "no-signature", "other-signature"],
)
def test_a_tampered_token(role: Role, tamper: Callable[[str], str]) -> None:
    assert role.refusal(tamper(good(role.issuer)))[0] == INVALID


def test_a_public_key_is_no_shared_secret(role: Role) -> None:
    """The classic confusion: HS256, with the issuer's public key as the secret."""
    public = role.issuer.jwks["keys"][0]
    pem = role.issuer.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for secret in (pem, public["n"].encode(), json.dumps(public).encode()):
        signed = f"{segment({'alg': 'HS256', 'kid': 'key-1'})}.{good(role.issuer).split('.')[1]}"
        code = base64.urlsafe_b64encode(hmac.digest(secret, signed.encode(), "sha256")).rstrip(b"=").decode()
        found, said = role.refusal(f"{signed}.{code}")
        assert found == INVALID
        assert said == "Token signature algorithm 'HS256' is not supported for its key"


@pytest.mark.parametrize("algorithm", ["RS384", "PS256"])
def test_algorithms_that_aws_does_not_take(role: Role, algorithm: str) -> None:
    claims = jwt.decode(good(role.issuer), options={"verify_signature": False})
    token = jwt.encode(claims, role.issuer.key, algorithm, headers={"kid": "key-1"})
    assert role.refusal(token)[0] == INVALID


def test_keys_that_the_token_brings_along_are_not_used(role: Role) -> None:
    mallory = Issuer(role.issuer.url)
    claims = jwt.decode(good(role.issuer), options={"verify_signature": False})
    for header in (
        {"jwk": mallory.jwks["keys"][0]},
        {"jku": "https://mallory.example/jwks"},
        {"kid": "key-9"},
    ):
        assert role.refusal(mallory.sign(claims, **header))[0] == INVALID


def test_a_key_id_that_is_not_known(role: Role) -> None:
    found, said = role.refusal(Issuer(role.issuer.url, kid="key-2").service_account("main", "x"))
    assert found == INVALID
    assert said.startswith("Couldn't retrieve verification key from your identity provider")


def test_another_issuer_that_has_no_provider(role: Role) -> None:
    stranger = Issuer("https://oidc.eks.ap-northeast-1.amazonaws.com/id/" + "F" * 32)
    role.cloud.put("issuers", {"issuer": stranger.url, "jwks": stranger.jwks})
    found, said = role.refusal(good(stranger))
    assert found == INVALID
    assert said == f"No OpenIDConnect provider found in your account for {stranger.url}"


def test_another_issuer_that_has_a_provider_of_its_own(role: Role) -> None:
    stranger = Issuer("https://oidc.eks.ap-northeast-1.amazonaws.com/id/" + "F" * 32)
    role.cloud.trust(stranger)
    assert role.refusal(good(stranger)) == (DENIED, NOT_AUTHORIZED)


def test_a_provider_whose_keys_nobody_registered(cloud: Cloud, cluster: Issuer) -> None:
    provider = cloud.client("iam").create_open_id_connect_provider(
        Url=cluster.url, ClientIDList=["sts.amazonaws.com"], ThumbprintList=["0" * 40]
    )["OpenIDConnectProviderArn"]
    arn = cloud.role("r", federated(provider, aud="sts.amazonaws.com"))
    found, said = Role(cloud, cluster, arn, provider).refusal(good(cluster))
    assert found == INVALID
    assert said.startswith("Couldn't retrieve verification key")


def test_the_provider_of_another_account_is_none_of_this_one(role: Role) -> None:
    other = role.cloud.role("r", federated(role.provider, aud="sts.amazonaws.com"), account=OTHER)
    found, said = Role(role.cloud, role.issuer, other, "").refusal(good(role.issuer))
    assert found == INVALID
    assert said.startswith("No OpenIDConnect provider found in your account for ")


@pytest.mark.parametrize("name", ["nobody", "secrets-role2"])
def test_a_role_that_does_not_exist(role: Role, name: str) -> None:
    there = Role(role.cloud, role.issuer, f"arn:aws:iam::{ACCOUNT}:role/{name}", "")
    assert there.refusal(good(role.issuer)) == (DENIED, NOT_AUTHORIZED)


def test_an_account_that_does_not_exist(role: Role) -> None:
    there = Role(role.cloud, role.issuer, "arn:aws:iam::999999999999:role/secrets-role", "")
    assert there.refusal(good(role.issuer)) == (DENIED, NOT_AUTHORIZED)


def test_what_is_no_token(role: Role) -> None:
    for text in ("what", "a.b.c", "eyJhbGciOiJub25lIn0.e30."):  # pragma: allowlist secret
        assert role.refusal(text)[0] == INVALID


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"DurationSeconds": 3601}, "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."),
        ({"name": "has space"}, "1 validation error detected: Value 'has space' at 'roleSessionName'"),
    ],
)  # fmt: skip
def test_parameters_that_make_no_sense(role: Role, more: dict[str, Any], said: str) -> None:
    found, text = role.refusal(good(role.issuer), **more)
    assert found == ("ValidationError", 400)
    assert text.startswith(said)


@pytest.mark.parametrize("seconds", [900, 3600])
def test_the_duration_that_was_asked_for(role: Role, seconds: int) -> None:
    answer = role.cloud.anonymous().assume_role_with_web_identity(
        RoleArn=role.arn, RoleSessionName="pod", WebIdentityToken=good(role.issuer), DurationSeconds=seconds
    )
    assert seconds - 5 < answer["Credentials"]["Expiration"].timestamp() - time.time() <= seconds


def test_elliptic_keys(cloud: Cloud) -> None:
    issuer = Issuer("https://issuer.example", "ES256")
    arn = cloud.role("r", federated(cloud.trust(issuer), sub="somebody", aud="sts.amazonaws.com"))
    cloud.assume(arn, issuer.token("somebody"))
    claims = jwt.decode(issuer.token("somebody"), options={"verify_signature": False})
    forged = Issuer(issuer.url, "ES256").sign(claims)
    assert Role(cloud, issuer, arn, "").refusal(forged) == (INVALID, "Token signature invalid")


def test_expired_sessions_are_told_from_unknown_ones(role: Role) -> None:
    key = role.cloud.assume(role.arn, good(role.issuer), DurationSeconds=900)
    sts = role.cloud.client("sts", key=key)
    sts.get_caller_identity()
    sessions = role.cloud.gate._state._sessions
    sessions[key[0]] = replace(sessions[key[0]], expires=time.time() - 1)
    with pytest.raises(ClientError) as caught:
        sts.get_caller_identity()
    assert refused(caught.value) == ("ExpiredToken", 403)


TRUSTED = "repo:acme/slipway:ref:refs/tags/v*"
TRUSTED_IDS = "repo:acme@1001/slipway@2002:ref:refs/tags/v*"


@pytest.fixture
def role_github(cloud: Cloud, github: Issuer) -> Role:
    provider = cloud.trust(github)
    name = "token.actions.githubusercontent.com"
    trust = {
        "Effect": "Allow",
        "Principal": {"Federated": provider},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {
            "StringEquals": {f"{name}:aud": "sts.amazonaws.com", f"{name}:repository": "acme/slipway"},
            "StringLike": {f"{name}:sub": [TRUSTED, TRUSTED_IDS]},
        },
    }
    return Role(cloud, github, cloud.role("role-github", [trust]), provider)


def workflow(issuer: Issuer, subject: str, repository: str = "acme/slipway", **claims: Any) -> str:
    return issuer.token(subject, repository=repository, repository_id="2002", **claims)


@pytest.mark.parametrize(
    "subject",
    ["repo:acme/slipway:ref:refs/tags/v1.2.3", "repo:acme@1001/slipway@2002:ref:refs/tags/v1.2.3"],
)
def test_this_repository_and_tag_in_both_forms_of_the_subject(role_github: Role, subject: str) -> None:
    role_github.cloud.assume(role_github.arn, workflow(role_github.issuer, subject))


@pytest.mark.parametrize(
    ("subject", "repository"),
    [
        ("repo:acme/other:ref:refs/tags/v1.2.3", "acme/other"),
        ("repo:acme@1001/other@2003:ref:refs/tags/v1.2.3", "acme/other"),
        ("repo:acme/slipway:ref:refs/heads/main", "acme/slipway"),
        ("repo:acme@1001/slipway@2002:ref:refs/heads/main", "acme/slipway"),
        ("repo:acme/slipway:ref:refs/heads/v1", "acme/slipway"),
        ("repo:acme/slipway:pull_request", "acme/slipway"),
        ("repo:acme@1001/slipway@2002:pull_request", "acme/slipway"),
        ("repo:acme/slipway:environment:production", "acme/slipway"),
        ("repo:acme-evil/slipway:ref:refs/tags/v1.2.3", "acme-evil/slipway"),
        ("repo:acme/slipway-fork:ref:refs/tags/v1.2.3", "acme/slipway-fork"),
        ("repo:Acme/slipway:ref:refs/tags/v1.2.3", "Acme/slipway"),
        ("repo:acme@1002/slipway@2002:ref:refs/tags/v1.2.3", "acme/slipway"),
        ("repo:acme@1001/slipway@2009:ref:refs/tags/v1.2.3", "acme/slipway"),
        ("repo:acme/slipway:ref:refs/tags/v1.2.3", "acme/other"),
    ],
)
def test_anything_else_on_github(role_github: Role, subject: str, repository: str) -> None:
    token = workflow(role_github.issuer, subject, repository)
    assert role_github.refusal(token) == (DENIED, NOT_AUTHORIZED)


def test_github_of_somebody_else(role_github: Role) -> None:
    mallory = Issuer(role_github.issuer.url)
    token = workflow(mallory, "repo:acme/slipway:ref:refs/tags/v1.2.3")
    assert role_github.refusal(token) == (INVALID, "Token signature invalid")


def test_a_session_policy_narrows_the_role(cloud: Cloud, cluster: Issuer) -> None:
    provider = cloud.trust(cluster)
    arn = cloud.role(
        "wide", federated(provider, aud="sts.amazonaws.com"),
        [{"Effect": "Allow", "Action": "route53:*", "Resource": "*"}],
    )  # fmt: skip
    only_zones = policy([{"Effect": "Allow", "Action": "route53:ListHostedZones", "Resource": "*"}])
    zones = cloud.client("route53", key=cloud.assume(arn, good(cluster), Policy=only_zones))
    zones.list_hosted_zones()
    with pytest.raises(ClientError) as caught:
        zones.get_hosted_zone(Id="Z1")
    assert refused(caught.value) == DENIED
    assert words(caught.value).endswith("because no session policy allows the route53:GetHostedZone action")
    with pytest.raises(ClientError) as caught:
        cloud.assume(arn, good(cluster), Policy='{"Statement": []}')
    assert refused(caught.value) == ("MalformedPolicyDocument", 400)


def test_assume_role_takes_trust_and_permission(cloud: Cloud, cluster: Issuer) -> None:
    provider = cloud.trust(cluster)
    first = cloud.role("first", federated(provider, aud="sts.amazonaws.com"))
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": "sts:AssumeRole",
    }
    second = cloud.role("second", [statement])
    sts = cloud.client("sts", key=cloud.assume(first, good(cluster)))
    with pytest.raises(ClientError) as caught:
        sts.assume_role(RoleArn=second, RoleSessionName="chain")
    assert refused(caught.value) == DENIED
    assert words(caught.value) == (
        f"User: arn:aws:sts::{ACCOUNT}:assumed-role/first/pod is not authorized to perform: sts:AssumeRole on "
        f"resource: {second} because no identity-based policy allows the sts:AssumeRole action"
    )
    may = policy([{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": second}])
    cloud.client("iam").put_role_policy(RoleName="first", PolicyName="may", PolicyDocument=may)
    answer = sts.assume_role(RoleArn=second, RoleSessionName="chain")
    assert answer["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/second/chain"
    cloud.client("sts").assume_role(RoleArn=second, RoleSessionName="operator")
    with pytest.raises(ClientError) as caught:
        cloud.client("sts", OTHER).assume_role(RoleArn=second, RoleSessionName="operator")
    assert refused(caught.value) == DENIED
