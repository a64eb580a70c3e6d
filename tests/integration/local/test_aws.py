"""The stand-in for AWS in its container, with the templates of production: identity, permissions, restarts."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import httpx
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from ci import infra, shell
from ci.ecr import credentials
from ci.local import aws, container, kind, secret
from ci.settings import Settings, wiring
from infra.environment import load
from tests.integration.local.images import MANIFEST, manifest, put_manifest
from tests.integration.local.images import client as registry_client
from tests.unit.standin.tokens import Issuer, unsigned, with_claims

pytestmark = pytest.mark.integration

DENIED = ("AccessDenied", 403, "Not authorized to perform sts:AssumeRoleWithWebIdentity")
GITHUB = "https://token.actions.githubusercontent.com"


@dataclass(frozen=True)
class Plane:
    """The stand-in with all stacks of `local`, and the keys of the cluster's issuer and of GitHub's."""

    settings: Settings
    cluster: Issuer
    github: Issuer

    def arn(self, role: str) -> str:
        return f"arn:aws:iam::{self.settings.wiring.account}:role/{role}"

    def assume(self, role: str, token: str) -> boto3.Session:
        """Assume a role as a pod or workflow does; return its session."""
        config = Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1})
        sts = boto3.client(
            "sts", self.settings.wiring.region, endpoint_url=aws.endpoint(self.settings), config=config
        )
        made = sts.assume_role_with_web_identity(
            RoleArn=self.arn(role), RoleSessionName="test", WebIdentityToken=token
        )["Credentials"]
        return boto3.Session(
            made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"], self.settings.wiring.region
        )

    def refusal(self, role: str, token: str) -> tuple[str, int, str]:
        with pytest.raises(ClientError) as caught:
            self.assume(role, token)
        return told(caught.value)

    def client(self, session: boto3.Session, service: str) -> Any:
        config = Config(retries={"total_max_attempts": 1})
        return session.client(service, endpoint_url=aws.endpoint(self.settings), config=config)


def told(error: ClientError) -> tuple[str, int, str]:
    said = error.response["Error"]
    return said["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"], said["Message"]


@pytest.fixture(scope="module")
def plane(gated: Settings) -> Iterator[Plane]:
    settings = gated
    made = Plane(settings, Issuer(kind.issuer(settings)), Issuer(GITHUB))
    for issuer in (made.cluster, made.github):
        aws.register_issuer(settings, issuer.url, issuer.jwks)
    yield made
    aws.settle(settings)


# role, namespace and ServiceAccount: the one that may
ACCOUNTS = [
    ("create-secret-from-secrets-manager-role", "main", "account-to-access-secrets"),
    ("role-for-external-dns", "main", "account-for-external-dns"),
    ("role-for-image-updater", "argocd", "argocd-image-updater"),
    ("role-for-db-migrator", "main", "account-for-db-migrator"),
    ("role-for-load-balancer-controller", "kube-system", "aws-load-balancer-controller"),
]


@pytest.mark.parametrize(("role", "namespace", "name"), ACCOUNTS)
def test_each_role_is_for_one_service_account(plane: Plane, role: str, namespace: str, name: str) -> None:
    session = plane.assume(role, plane.cluster.service_account(namespace, name, aud=["sts.amazonaws.com"]))
    who = plane.client(session, "sts").get_caller_identity()
    assert who["Arn"] == f"arn:aws:sts::{plane.settings.wiring.account}:assumed-role/{role}/test"
    for other_namespace, other_name in (
        (namespace, "default"), ("default", name), (namespace, name + "x"), (namespace, name.upper()),
    ):  # fmt: skip
        token = plane.cluster.service_account(other_namespace, other_name)
        assert plane.refusal(role, token) == DENIED
    for _, others_namespace, others_name in ACCOUNTS:
        if others_name != name:
            token = plane.cluster.service_account(others_namespace, others_name)
            assert plane.refusal(role, token) == DENIED
    good = plane.cluster.service_account(namespace, name)
    assert plane.refusal("role-github", good) == DENIED


@pytest.mark.parametrize(("role", "namespace", "name"), ACCOUNTS)
def test_each_role_refuses_every_wrong_token(plane: Plane, role: str, namespace: str, name: str) -> None:
    def signed(**changes: Any) -> str:
        return plane.cluster.service_account(namespace, name, **changes)

    for audience in (
        "kubernetes.default.svc",
        ["https://kubernetes.default.svc"],
        "",
        "sts.amazonaws.com.cn",
    ):
        assert plane.refusal(role, signed(aud=audience))[:2] == ("InvalidIdentityToken", 400)
    assert plane.refusal(role, signed(exp=int(time.time()) - 5))[:2] == ("ExpiredTokenException", 400)
    elsewhere = plane.cluster.service_account("default", "default")
    tampered = with_claims(elsewhere, sub=f"system:serviceaccount:{namespace}:{name}")
    stranger = Issuer("https://oidc.eks.ap-northeast-1.amazonaws.com/id/" + "0" * 32)
    aws.register_issuer(plane.settings, stranger.url, stranger.jwks)
    for token in (
        tampered,
        unsigned(signed()),
        stranger.service_account(namespace, name),
        Issuer(plane.cluster.url).service_account(namespace, name),
    ):
        assert plane.refusal(role, token)[:2] == ("InvalidIdentityToken", 400)
    as_github = plane.github.token(f"system:serviceaccount:{namespace}:{name}")
    assert plane.refusal(role, as_github) == DENIED


def workflow(plane: Plane, repository: str, rest: str, ids: tuple[str, str] | None = None) -> str:
    """A token of a workflow run, in GitHub's older form or, with `ids` of owner and repository, the newer."""
    owner, _, name = repository.partition("/")
    subject = f"repo:{owner}@{ids[0]}/{name}@{ids[1]}:{rest}" if ids else f"repo:{repository}:{rest}"
    more = {"repository": repository, "repository_owner": owner, "actor": "somebody", "workflow": "release"}
    return plane.github.token(subject, **more)


TAG = "ref:refs/tags/v1.2.3"


@pytest.fixture(scope="module")
def ids() -> tuple[str, str]:
    """GitHub's numbers of this repository's owner and of itself."""
    identity = load("local").parameters.identity
    return identity.github_owner_id, identity.github_repository_id


def test_a_tag_of_this_repository_publishes(plane: Plane, ids: tuple[str, str]) -> None:
    for token in (workflow(plane, "acme/slipway", TAG), workflow(plane, "acme/slipway", TAG, ids)):
        session = plane.assume("role-github", token)
        with registry_client(plane.settings, credentials(plane.client(session, "ecr")).header):
            pass  # what the token may do at the registry is test_ecr's business
        ecr = plane.client(session, "ecr")
        ecr.batch_check_layer_availability(repositoryName="eks-app", layerDigests=["sha256:" + "0" * 64])
        for call, parameters in (
            (ecr.describe_repositories, {}),
            (ecr.delete_repository, {"repositoryName": "eks-app", "force": True}),
            (ecr.put_image_tag_mutability, {"repositoryName": "eks-app", "imageTagMutability": "MUTABLE"}),
            (ecr.list_images, {"repositoryName": "eks-other"}),
        ):
            denied(call, **parameters)


@pytest.mark.parametrize(
    ("repository", "rest"),
    [
        ("acme/other", TAG),
        ("acme/slipway", "ref:refs/heads/main"),
        ("acme/slipway", "ref:refs/heads/v1.2.3"),
        ("acme/slipway", "ref:refs/tags/latest"),
        ("acme/slipway", "pull_request"),
        ("acme/slipway", "environment:production"),
        ("acme-/slipway", TAG),
        ("acmе/slipway", TAG),
        ("Acme/slipway", TAG),
        ("acme/slipway-fork", TAG),
        ("acme/slipway.git", TAG),
    ],
)
def test_nothing_else_on_github_publishes(
    plane: Plane, ids: tuple[str, str], repository: str, rest: str
) -> None:
    for numbers in (None, ids):
        if numbers == ids and repository != "acme/slipway":
            numbers = (ids[0], "1" + ids[1])  # another repository has another number
        assert plane.refusal("role-github", workflow(plane, repository, rest, numbers)) == DENIED


def test_the_same_names_under_other_numbers_do_not_publish(plane: Plane, ids: tuple[str, str]) -> None:
    """Somebody who registers the names anew after they were given up."""
    for numbers in ((ids[0], "1" + ids[1]), ("1" + ids[0], ids[1]), ("", "")):
        assert plane.refusal("role-github", workflow(plane, "acme/slipway", TAG, numbers)) == DENIED


def test_githubs_tokens_are_verified_as_the_clusters_are(plane: Plane) -> None:
    token = workflow(plane, "acme/slipway", TAG)
    mallory = Issuer(GITHUB).token(f"repo:acme/slipway:{TAG}")
    other = plane.github.token(f"repo:acme/slipway:{TAG}", "https://github.com/acme")
    for wrong in (unsigned(token), with_claims(token, actor="x"), mallory, other):
        assert plane.refusal("role-github", wrong)[:2] == ("InvalidIdentityToken", 400)
    gone = plane.github.token(f"repo:acme/slipway:{TAG}", exp=int(time.time()) - 1)
    assert plane.refusal("role-github", gone)[0] == "ExpiredTokenException"


def denied(call: Any, **parameters: Any) -> None:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    code, status, words = told(caught.value)
    assert code in ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation"), (code, words)
    assert status in (400, 403)
    assert "is not authorized to perform: " in words


def as_account(plane: Plane, role: str) -> boto3.Session:
    namespace, name = next((ns, sa) for known, ns, sa in ACCOUNTS if known == role)
    return plane.assume(role, plane.cluster.service_account(namespace, name))


@pytest.mark.parametrize(("role", "namespace", "name"), ACCOUNTS)
def test_no_role_does_what_only_an_operator_does(plane: Plane, role: str, namespace: str, name: str) -> None:
    session = plane.assume(role, plane.cluster.service_account(namespace, name))
    for service, operation, parameters in (
        ("iam", "list_roles", {}),
        ("iam", "create_user", {"UserName": "mallory"}),
        ("iam", "put_role_policy", {"RoleName": role, "PolicyName": "x", "PolicyDocument": "{}"}),
        ("cloudformation", "describe_stacks", {}),
        ("cloudformation", "delete_stack", {"StackName": "slipway-local-network"}),
        ("secretsmanager", "list_secrets", {}),
        ("secretsmanager", "put_secret_value", {"SecretId": "database-secrets", "SecretString": "x"}),
        ("secretsmanager", "delete_secret", {"SecretId": "database-secrets"}),
        ("ecr", "put_image", {"repositoryName": "eks-app", "imageManifest": "{}"}),
        ("rds", "describe_db_instances", {}),
        ("kms", "list_keys", {}),
        ("s3", "list_buckets", {}),
        ("eks", "list_clusters", {}),
        ("sts", "assume_role", {"RoleArn": plane.arn("role-github"), "RoleSessionName": "xx"}),
    ):
        denied(getattr(plane.client(session, service), operation), **parameters)


def test_secrets_role(plane: Plane) -> None:
    secrets = plane.client(as_account(plane, "create-secret-from-secrets-manager-role"), "secretsmanager")
    found = secrets.get_secret_value(SecretId="database-secrets")
    assert {"host", "port", "username", "password", "dbname"} <= set(json.loads(found["SecretString"]))
    assert secrets.get_secret_value(SecretId=found["ARN"])["SecretString"] == found["SecretString"]
    for name in ("image-updater-webhook", "git-credentials", "unknown"):
        denied(secrets.get_secret_value, SecretId=name)


def test_external_dns_role(plane: Plane) -> None:
    operator = aws.client(plane.settings, "route53")
    other = operator.create_hosted_zone(Name="other.test", CallerReference=str(time.time()))["HostedZone"][
        "Id"
    ]
    route53 = plane.client(as_account(plane, "role-for-external-dns"), "route53")
    zones = {zone["Name"]: zone["Id"] for zone in route53.list_hosted_zones()["HostedZones"]}
    mine = zones[f"{plane.settings.wiring.domain}."]
    record = {"Name": f"x.{plane.settings.wiring.domain}", "Type": "A", "TTL": 5,
              "ResourceRecords": [{"Value": "10.0.0.1"}]}  # fmt: skip
    for action in ("CREATE", "DELETE"):
        batch = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
        route53.change_resource_record_sets(HostedZoneId=mine, ChangeBatch=batch)
    route53.list_resource_record_sets(HostedZoneId=mine)
    route53.list_tags_for_resources(ResourceType="hostedzone", ResourceIds=[mine.rpartition("/")[2]])
    foreign = {**record, "Name": "x.other.test"}
    batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": foreign}]}
    denied(route53.change_resource_record_sets, HostedZoneId=other, ChangeBatch=batch)
    denied(route53.list_resource_record_sets, HostedZoneId=other)
    denied(route53.delete_hosted_zone, Id=mine)
    operator.delete_hosted_zone(Id=other)


def test_image_updater_role(plane: Plane) -> None:
    session = as_account(plane, "role-for-image-updater")
    ecr = plane.client(session, "ecr")
    assert credentials(ecr).user == "AWS"
    ecr.list_images(repositoryName="eks-app")
    for name in ("eks-web", "eks-migration"):
        denied(ecr.list_images, repositoryName=name)
    denied(ecr.describe_images, repositoryName="eks-app")
    secrets = plane.client(session, "secretsmanager")
    assert json.loads(secrets.get_secret_value(SecretId="image-updater-webhook")["SecretString"])["secret"]
    denied(secrets.get_secret_value, SecretId="database-secrets")


def test_load_balancer_and_migrator_roles(plane: Plane) -> None:
    controller = as_account(plane, "role-for-load-balancer-controller")
    plane.client(controller, "ec2").describe_vpcs()
    plane.client(controller, "elbv2").describe_load_balancers()
    denied(plane.client(controller, "secretsmanager").get_secret_value, SecretId="database-secrets")
    migrator = as_account(plane, "role-for-db-migrator")
    denied(plane.client(migrator, "secretsmanager").get_secret_value, SecretId="database-secrets")
    denied(plane.client(migrator, "ecr").get_authorization_token)


def test_the_registry_holds_a_role_to_its_repositories(plane: Plane, gated: Settings) -> None:
    github = plane.assume("role-github", workflow(plane, "acme/slipway", TAG))
    with registry_client(gated, credentials(plane.client(github, "ecr")).header) as opened:
        content = manifest(opened, "eks-app")
        assert put_manifest(opened, "eks-app", "v3.0.0", content).status_code == 201
    updater = as_account(plane, "role-for-image-updater")
    with registry_client(gated, credentials(plane.client(updater, "ecr")).header) as opened:
        assert "v3.0.0" in opened.get("/v2/eks-app/tags/list").json()["tags"]
        assert opened.get("/v2/eks-app/manifests/v3.0.0", headers={"Accept": MANIFEST}).content == content
        for answer in (
            opened.get("/v2/eks-web/tags/list"),
            opened.post("/v2/eks-app/blobs/uploads/"),
            put_manifest(opened, "eks-app", "v3.0.1", content),
        ):
            assert (answer.status_code, answer.json()["errors"][0]["code"]) == (403, "DENIED")


def everything(plane: Plane) -> dict[str, Any]:
    """What has to be the same after a restart."""
    secrets = aws.client(plane.settings, "secretsmanager")
    values = {}
    for entry in secrets.list_secrets()["SecretList"]:
        try:
            values[entry["ARN"]] = secrets.get_secret_value(SecretId=entry["ARN"])["SecretString"]
        except secrets.exceptions.ResourceNotFoundException:
            values[entry["ARN"]] = None
    stacks = aws.client(plane.settings, "cloudformation").describe_stacks()["Stacks"]
    return {
        "secrets": values,
        "stacks": {
            stack["StackName"]: (stack["StackId"], stack["StackStatus"], str(stack.get("Outputs")))
            for stack in stacks
        },
        "vpcs": [vpc["VpcId"] for vpc in aws.client(plane.settings, "ec2").describe_vpcs()["Vpcs"]],
    }


def test_a_restart_and_a_new_container_keep_everything(plane: Plane) -> None:
    session = as_account(plane, "role-for-external-dns")
    before = everything(plane)
    assert len(before["stacks"]) == 7
    shell.run("docker", "restart", "--time", "5", plane.settings.container("aws"))
    aws.ensure(plane.settings)
    assert everything(plane) == before
    plane.client(session, "route53").list_hosted_zones()  # sessions too
    shell.run("docker", "rm", "--force", plane.settings.container("aws"))  # as a kill would
    aws.ensure(plane.settings)
    assert everything(plane) == before
    plane.client(session, "route53").list_hosted_zones()
    as_account(plane, "role-for-external-dns")  # and the issuers
    health = httpx.get(f"{aws.endpoint(plane.settings)}/_slipway/health", trust_env=False).json()
    assert health["failed"] == []
    infra.ensure(plane.settings, "local")  # changes nothing
    assert everything(plane) == before


def test_production_lives_beside_local_and_sees_nothing_of_it(plane: Plane) -> None:
    theirs = aws.client(plane.settings, "sts", wiring("production").account)
    assert theirs.get_caller_identity()["Account"] == wiring("production").account
    arns = [e["ARN"] for e in aws.client(plane.settings, "secretsmanager").list_secrets()["SecretList"]]
    secrets = aws.client(plane.settings, "secretsmanager", wiring("production").account)
    for arn in arns:
        with pytest.raises(ClientError) as caught:
            secrets.get_secret_value(SecretId=arn)
        assert told(caught.value)[0] == "ResourceNotFoundException"


def test_a_slow_or_failing_service(plane: Plane) -> None:
    aws.settle(plane.settings, delay_seconds={"ecr": 1.5}, fail_status={"route53": 503})
    started = time.monotonic()
    aws.client(plane.settings, "ecr").describe_repositories()
    assert time.monotonic() - started >= 1.5
    with pytest.raises(ClientError):
        aws.client(plane.settings, "route53").list_hosted_zones()
    aws.settle(plane.settings)
    aws.client(plane.settings, "route53").list_hosted_zones()


def test_the_container_has_no_rights_and_tells_no_secret(plane: Plane) -> None:
    name = plane.settings.container("aws")
    (shown,) = json.loads(shell.run("docker", "inspect", name).out)
    assert shown["Config"]["User"] == "10001:10001"
    assert (shown["HostConfig"]["ReadonlyRootfs"], shown["HostConfig"]["CapDrop"]) == (True, ["ALL"])
    modes = container.execute(plane.settings, "aws", "sh", "-c", "stat -c %a /var/lib/slipway-aws/*").out
    assert set(modes.split()) == {"600"}
    said = "\n".join(container.logs(plane.settings, "aws", lines=5000))
    values = [value for value in everything(plane)["secrets"].values() if value]
    operators = [one.secret_key for one in aws.operators(plane.settings)]
    for known in (*values, *operators, secret.value(plane.settings, secret.AWS_CONTROL)):
        assert known not in said
        assert known not in json.dumps(shown)
    assert '"action": "secretsmanager:GetSecretValue"' in said


def test_it_ends_at_once_on_sigterm(plane: Plane) -> None:
    name = plane.settings.container("aws")
    started = time.monotonic()
    shell.run("docker", "stop", "--time", "9", name)
    assert time.monotonic() - started < 5
    assert shell.run("docker", "inspect", "--format", "{{.State.ExitCode}}", name).out.strip() == "0"
    aws.ensure(plane.settings)
