"""Tokens of the real cluster against the stand-in: the right account gets its role, nobody else anything."""

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from ci.local import aws
from tests.e2e.environment import ARGOCD, PRODUCT, Environment

STS = "sts.amazonaws.com"
STRANGERS = "strangers"
ACCOUNTS = {
    "role_secrets": (PRODUCT, "account-to-access-secrets"),
    "role_external_dns": (PRODUCT, "account-for-external-dns"),
    "role_db_migrator": (PRODUCT, "account-for-db-migrator"),
    "role_image_updater": (ARGOCD, "argocd-image-updater"),
}


@pytest.fixture(scope="module")
def strangers(environment: Environment) -> Iterator[str]:
    """A namespace with accounts that have the right names."""
    environment.core.create_namespace({"metadata": {"name": STRANGERS}})
    for _, name in ACCOUNTS.values():
        environment.core.create_namespaced_service_account(STRANGERS, {"metadata": {"name": name}})
    yield STRANGERS
    environment.core.delete_namespace(STRANGERS)


def token(environment: Environment, namespace: str, account: str, audience: str = STS) -> str:
    body = {"spec": {"audiences": [audience], "expirationSeconds": 600}}
    made = environment.core.create_namespaced_service_account_token(account, namespace, body)
    return str(made.status.token)


def assume(environment: Environment, role: str, web_identity: str) -> dict[str, str]:
    """Trade a token for the credentials of a role of the local account."""
    wiring = environment.settings.wiring
    answer = _sts(environment).assume_role_with_web_identity(
        RoleArn=wiring.role_arn(role), RoleSessionName="e2e", WebIdentityToken=web_identity
    )
    credentials: dict[str, str] = answer["Credentials"]
    return credentials


def _sts(environment: Environment) -> Any:
    return boto3.client(
        "sts", environment.settings.wiring.region, endpoint_url=aws.endpoint(environment.settings),
        config=Config(signature_version=UNSIGNED, retries={"max_attempts": 1}),
    )  # fmt: skip


def client(environment: Environment, service: str, credentials: dict[str, str]) -> Any:
    return boto3.client(
        service, environment.settings.wiring.region, endpoint_url=aws.endpoint(environment.settings),
        aws_access_key_id=credentials["AccessKeyId"], aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"], config=Config(retries={"max_attempts": 1}),
    )  # fmt: skip


def refusal(call: Callable[[], Any]) -> str:
    """The error code of a call that has to be refused."""
    with pytest.raises(ClientError) as caught:
        call()
    return str(caught.value.response["Error"]["Code"])


@pytest.mark.parametrize("field", ACCOUNTS)
def test_the_account_of_a_role_gets_it(environment: Environment, field: str) -> None:
    role = getattr(environment.settings.wiring, field)
    credentials = assume(environment, role, token(environment, *ACCOUNTS[field]))
    found = client(environment, "sts", credentials).get_caller_identity()["Arn"]
    assert found.endswith(f":assumed-role/{role}/e2e")


@pytest.mark.parametrize("field", ACCOUNTS)
def test_another_account_of_the_namespace_does_not(environment: Environment, field: str) -> None:
    role = getattr(environment.settings.wiring, field)
    for other, (namespace, account) in ACCOUNTS.items():
        if other != field:
            web_identity = token(environment, namespace, account)
            assert refusal(lambda: assume(environment, role, web_identity)) == "AccessDenied"  # noqa: B023
    web_identity = token(environment, PRODUCT, "account-for-main")
    assert refusal(lambda: assume(environment, role, web_identity)) == "AccessDenied"


@pytest.mark.parametrize("field", ACCOUNTS)
def test_the_same_name_in_another_namespace_does_not(
    environment: Environment, strangers: str, field: str
) -> None:
    role = getattr(environment.settings.wiring, field)
    web_identity = token(environment, strangers, ACCOUNTS[field][1])
    assert refusal(lambda: assume(environment, role, web_identity)) == "AccessDenied"


@pytest.mark.parametrize(
    "audience", ["https://kubernetes.default.svc", "sts.amazonaws.com.example.org", "aws"]
)
def test_a_token_for_someone_else_is_no_token(environment: Environment, audience: str) -> None:
    web_identity = token(environment, *ACCOUNTS["role_secrets"], audience=audience)
    role = environment.settings.wiring.role_secrets
    assert refusal(lambda: assume(environment, role, web_identity)) in (
        "InvalidIdentityToken",
        "AccessDenied",
    )


def test_a_token_that_was_changed_is_no_token(environment: Environment) -> None:
    """Another account's token whose subject was rewritten, and the right one with another signature."""
    head, body, signature = token(environment, PRODUCT, "account-for-main").split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    claims["sub"] = f"system:serviceaccount:{PRODUCT}:account-to-access-secrets"
    forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    right = token(environment, *ACCOUNTS["role_secrets"]).split(".")
    role = environment.settings.wiring.role_secrets
    for parts in (
        (head, forged, signature), (unsigned, forged, ""), (right[0], right[1], signature),
    ):  # fmt: skip
        web_identity = ".".join(parts)
        assert refusal(lambda: assume(environment, role, web_identity)) == "InvalidIdentityToken"  # noqa: B023


def test_the_secrets_role_reads_the_databases_secret_and_nothing_else(environment: Environment) -> None:
    role = environment.settings.wiring.role_secrets
    credentials = assume(environment, role, token(environment, *ACCOUNTS["role_secrets"]))
    secrets = client(environment, "secretsmanager", credentials)
    assert json.loads(secrets.get_secret_value(SecretId="database-secrets")["SecretString"])["username"]
    denied = "AccessDeniedException"
    assert refusal(lambda: secrets.get_secret_value(SecretId="image-updater-webhook")) == denied
    assert refusal(lambda: secrets.put_secret_value(SecretId="database-secrets", SecretString="x")) == denied
    ecr = client(environment, "ecr", credentials)
    assert refusal(ecr.get_authorization_token) == denied
    route53 = client(environment, "route53", credentials)
    assert refusal(route53.list_hosted_zones) in ("AccessDenied", denied)


def test_external_dns_changes_its_zone_and_reads_no_secret(environment: Environment) -> None:
    role = environment.settings.wiring.role_external_dns
    credentials = assume(environment, role, token(environment, *ACCOUNTS["role_external_dns"]))
    route53 = client(environment, "route53", credentials)
    names = [zone["Name"] for zone in route53.list_hosted_zones()["HostedZones"]]
    assert f"{environment.settings.wiring.domain}." in names
    assert refusal(lambda: route53.create_hosted_zone(Name="other.example.", CallerReference="e2e")) in (
        "AccessDenied", "AccessDeniedException",
    )  # fmt: skip
    secrets = client(environment, "secretsmanager", credentials)
    assert refusal(lambda: secrets.get_secret_value(SecretId="database-secrets")) == "AccessDeniedException"


def test_image_updater_looks_and_does_not_push(environment: Environment) -> None:
    role = environment.settings.wiring.role_image_updater
    credentials = assume(environment, role, token(environment, *ACCOUNTS["role_image_updater"]))
    ecr = client(environment, "ecr", credentials)
    assert ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    assert ecr.list_images(repositoryName="eks-app")["imageIds"]
    denied = "AccessDeniedException"
    assert refusal(lambda: ecr.list_images(repositoryName="eks-web")) == denied
    assert refusal(lambda: ecr.initiate_layer_upload(repositoryName="eks-app")) == denied
    secrets = client(environment, "secretsmanager", credentials)
    assert refusal(lambda: secrets.get_secret_value(SecretId="database-secrets")) == denied
