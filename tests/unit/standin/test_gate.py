"""Credentials and permissions: refusals in each protocol's own words, and roles held to their policies."""

from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from standin import wire

from tests.unit.standin.cloud import ACCOUNT, OTHER, REGION, Cloud, federated, policy, refused, words
from tests.unit.standin.tokens import Issuer

SECRET = '{"username": "slipway", "password": "p"}'
Key = tuple[str, str, str]


@pytest.fixture
def session(cloud: Cloud, cluster: Issuer) -> Any:
    """Open a session of a role that may do what the statements say."""
    provider = cloud.trust(cluster)

    def opened(*allowed: dict[str, Any], **more: Any) -> Key:
        arn = cloud.role("worker", federated(provider, aud="sts.amazonaws.com"), list(allowed), **more)
        return cloud.assume(arn, cluster.service_account("main", "worker"))

    return opened


def allow(action: str | list[str], resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def refusal(call: Any, **parameters: Any) -> tuple[str, int]:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    return refused(caught.value)


# service, operation, parameters, and the code and status for: unknown key, wrong secret, not allowed
PROTOCOLS: list[tuple[str, str, dict[str, Any], str]] = [
    ("secretsmanager", "list_secrets", {}, "json"),
    ("eks", "list_clusters", {}, "rest-json"),
    ("iam", "list_roles", {}, "query"),
    ("route53", "list_hosted_zones", {}, "rest-xml"),
    ("ec2", "describe_vpcs", {}, "ec2"),
]
UNKNOWN = {
    "json": ("UnrecognizedClientException", 400),
    "rest-json": ("UnrecognizedClientException", 403),
    "query": ("InvalidClientTokenId", 403),
    "rest-xml": ("InvalidClientTokenId", 403),
    "ec2": ("AuthFailure", 403),
}
MISMATCH = {
    "json": ("InvalidSignatureException", 400),
    "rest-json": ("InvalidSignatureException", 403),
    "query": ("SignatureDoesNotMatch", 403),
    "rest-xml": ("SignatureDoesNotMatch", 403),
    "ec2": ("AuthFailure", 403),
}
EXPIRED = {
    "json": ("ExpiredTokenException", 400),
    "rest-json": ("ExpiredTokenException", 403),
    "query": ("ExpiredToken", 403),
    "rest-xml": ("ExpiredToken", 403),
    "ec2": ("RequestExpired", 403),
}
NOT_ALLOWED = {
    "json": ("AccessDeniedException", 400),
    "rest-json": ("AccessDeniedException", 403),
    "query": ("AccessDenied", 403),
    "rest-xml": ("AccessDenied", 403),
    "ec2": ("UnauthorizedOperation", 403),
}


@pytest.mark.parametrize(("service", "operation", "parameters", "protocol"), PROTOCOLS)
def test_refusals_as_each_protocol_has_them(
    cloud: Cloud, session: Any, service: str, operation: str, parameters: dict[str, Any], protocol: str
) -> None:
    def asked(key: tuple[str, str, str | None]) -> tuple[str, int]:
        return refusal(getattr(cloud.client(service, key=key), operation), **parameters)

    operator = f"AKSLIPWAY{ACCOUNT}"
    assert asked(("AKIAUNKNOWN", "secret", None)) == UNKNOWN[protocol]
    assert asked((operator, "wrong", None)) == MISMATCH[protocol]
    assert asked((operator, f"secret-of-{ACCOUNT}", "token")) == UNKNOWN[protocol]
    access, secret, token = session()
    assert asked((access, secret, token)) == NOT_ALLOWED[protocol]
    assert asked((access, "wrong", token)) == MISMATCH[protocol]
    assert asked((access, secret, token[:-1])) == UNKNOWN[protocol]
    assert asked((access, secret, None)) == UNKNOWN[protocol]
    found = cloud.gate._state._sessions
    found[access] = replace(found[access], expires=1.0)
    assert asked((access, secret, token)) == EXPIRED[protocol]


def test_the_words_of_a_denial(cloud: Cloud, session: Any) -> None:
    arn = cloud.client("secretsmanager").create_secret(Name="database-secrets", SecretString=SECRET)["ARN"]
    key = session()
    with pytest.raises(ClientError) as caught:
        cloud.client("secretsmanager", key=key).get_secret_value(SecretId="database-secrets")
    assert words(caught.value) == (
        f"User: arn:aws:sts::{ACCOUNT}:assumed-role/worker/pod is not authorized to perform: "
        f"secretsmanager:GetSecretValue on resource: {arn} because no identity-based policy allows the "
        "secretsmanager:GetSecretValue action"
    )


def test_an_explicit_deny_says_so(cloud: Cloud, session: Any) -> None:
    key = session(
        allow("route53:*"), {"Effect": "Deny", "Action": "route53:ListHostedZones", "Resource": "*"}
    )
    with pytest.raises(ClientError) as caught:
        cloud.client("route53", key=key).list_hosted_zones()
    assert words(caught.value).endswith("with an explicit deny in an identity-based policy")


def test_a_boundary_holds_too(cloud: Cloud, session: Any) -> None:
    boundary = cloud.client("iam").create_policy(
        PolicyName="limit", PolicyDocument=policy([allow("route53:GetHostedZone")])
    )["Policy"]["Arn"]
    key = session(allow("route53:*"), PermissionsBoundary=boundary)
    with pytest.raises(ClientError) as caught:
        cloud.client("route53", key=key).list_hosted_zones()
    assert words(caught.value).endswith(
        "because no permissions boundary allows the route53:ListHostedZones action"
    )


def test_nobody_at_all(cloud: Cloud) -> None:
    for path, body in (("/", b""), ("/2013-04-01/hostedzone", b""), ("/moto-api/reset", b"")):
        answer = cloud.gate.answer(wire.Request("POST", path, headers={"host": "slipway-aws"}, body=body))
        assert (answer.status, b"MissingAuthenticationToken" in answer.body) == (403, True)


def test_motos_own_api_cannot_be_reached(cloud: Cloud) -> None:
    cloud.client("route53").create_hosted_zone(Name="a.test", CallerReference="1")
    for path in ("/moto-api/reset", "/moto-api/data.json"):
        request = cloud.sent
        cloud.gate.answer(wire.Request("POST", path, "", request.headers, b""))
    assert len(cloud.client("route53").list_hosted_zones()["HostedZones"]) == 1


def test_operators_have_their_own_account_and_no_other(cloud: Cloud) -> None:
    cloud.client("secretsmanager").create_secret(Name="a", SecretString="mine")
    arn = cloud.client("secretsmanager").describe_secret(SecretId="a")["ARN"]
    assert cloud.client("secretsmanager", OTHER).list_secrets()["SecretList"] == []
    theirs = cloud.client("secretsmanager", OTHER)
    theirs.create_secret(Name="a", SecretString="theirs")
    assert refusal(theirs.get_secret_value, SecretId=arn) == ("ResourceNotFoundException", 400)
    assert cloud.client("sts", OTHER).get_caller_identity()["Account"] == OTHER


def test_a_secret_by_every_name_it_has(cloud: Cloud, session: Any) -> None:
    secrets = cloud.client("secretsmanager")
    arn = secrets.create_secret(Name="database-secrets", SecretString=SECRET)["ARN"]
    secrets.create_secret(Name="database-secrets-2", SecretString="x")
    key = session(allow(["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"], arn))
    mine = cloud.client("secretsmanager", key=key)
    for name in ("database-secrets", arn, arn[:-7]):
        assert mine.get_secret_value(SecretId=name)["SecretString"] == SECRET
    denied = ("AccessDeniedException", 400)
    assert refusal(mine.get_secret_value, SecretId="database-secrets-2") == denied
    assert refusal(mine.get_secret_value, SecretId="unknown") == denied
    assert refusal(mine.get_secret_value, SecretId=arn[:-6] + "AAAAAA") == denied
    assert refusal(mine.list_secrets) == denied
    assert refusal(mine.put_secret_value, SecretId=arn, SecretString="y") == denied
    assert refusal(mine.batch_get_secret_value, SecretIdList=["database-secrets"]) == denied


def test_a_wrong_random_end_is_not_found(cloud: Cloud) -> None:
    secrets = cloud.client("secretsmanager")
    arn = secrets.create_secret(Name="a", SecretString="x")["ARN"]
    wrong = arn[:-6] + ("AAAAAA" if not arn.endswith("AAAAAA") else "BBBBBB")
    assert refusal(secrets.get_secret_value, SecretId=wrong) == ("ResourceNotFoundException", 400)


def test_a_secret_of_another_region(cloud: Cloud, session: Any) -> None:
    arn = cloud.client("secretsmanager").create_secret(Name="a", SecretString="x")["ARN"]
    key = session(allow("secretsmanager:GetSecretValue", arn))
    elsewhere = cloud.client("secretsmanager", key=key, region="us-west-2")
    assert refusal(elsewhere.get_secret_value, SecretId=arn) == ("ResourceNotFoundException", 400)
    assert refusal(elsewhere.get_secret_value, SecretId="a") == ("AccessDeniedException", 400)


def test_several_secrets_at_once(cloud: Cloud, session: Any) -> None:
    secrets = cloud.client("secretsmanager")
    arn = secrets.create_secret(Name="a", SecretString="mine")["ARN"]
    theirs = arn.replace(ACCOUNT, OTHER)
    wrong = arn[:-6] + ("AAAAAA" if not arn.endswith("AAAAAA") else "BBBBBB")
    batch = allow("secretsmanager:BatchGetSecretValue")
    key = session(batch, allow("secretsmanager:GetSecretValue", f"{arn[:-6]}*"),
                  allow("secretsmanager:GetSecretValue", theirs))  # fmt: skip
    mine = cloud.client("secretsmanager", key=key)
    found = mine.batch_get_secret_value(SecretIdList=["a", arn])["SecretValues"]
    assert {one["SecretString"] for one in found} == {"mine"}
    for listed in ([theirs], [arn, theirs], [wrong]):
        assert refusal(mine.batch_get_secret_value, SecretIdList=listed) == ("ResourceNotFoundException", 400)


def change(name: str, action: str = "UPSERT") -> dict[str, Any]:
    record = {"Name": name, "Type": "A", "TTL": 5, "ResourceRecords": [{"Value": "10.0.0.1"}]}
    return {"Changes": [{"Action": action, "ResourceRecordSet": record}]}


def test_a_hosted_zone(cloud: Cloud, session: Any) -> None:
    route53 = cloud.client("route53")
    mine, other = (
        route53.create_hosted_zone(Name=name, CallerReference=name)["HostedZone"]["Id"].rpartition("/")[2]
        for name in ("mine.test", "other.test")
    )
    zone = f"arn:aws:route53:::hostedzone/{mine}"
    actions = [f"route53:{name}" for name in
               ("ChangeResourceRecordSets", "ListResourceRecordSets", "ListTagsForResources")]  # fmt: skip
    worker = cloud.client("route53", key=session(allow(actions, zone), allow("route53:ListHostedZones")))
    assert len(worker.list_hosted_zones()["HostedZones"]) == 2
    worker.change_resource_record_sets(HostedZoneId=mine, ChangeBatch=change("a.mine.test"))
    worker.list_resource_record_sets(HostedZoneId=mine)
    worker.list_tags_for_resources(ResourceType="hostedzone", ResourceIds=[mine])
    denied = ("AccessDenied", 403)
    assert refusal(worker.change_resource_record_sets, HostedZoneId=other,
                   ChangeBatch=change("a.other.test")) == denied  # fmt: skip
    assert refusal(worker.list_resource_record_sets, HostedZoneId=other) == denied
    assert (
        refusal(worker.list_tags_for_resources, ResourceType="hostedzone", ResourceIds=[mine, other])
        == denied
    )
    assert refusal(worker.get_hosted_zone, Id=mine) == denied
    assert refusal(worker.delete_hosted_zone, Id=mine) == denied
    assert refusal(worker.create_hosted_zone, Name="x.test", CallerReference="x") == denied


def test_conditions_on_records(cloud: Cloud, session: Any) -> None:
    route53 = cloud.client("route53")
    zone = route53.create_hosted_zone(Name="z.test", CallerReference="1")["HostedZone"]["Id"]
    only = {
        "ForAllValues:StringLike": {"route53:ChangeResourceRecordSetsNormalizedRecordNames": "*.app.z.test"}
    }
    key = session(allow("route53:ChangeResourceRecordSets", Condition=only))
    worker = cloud.client("route53", key=key)
    worker.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=change("A.app.z.test."))
    assert refusal(worker.change_resource_record_sets, HostedZoneId=zone,
                   ChangeBatch=change("www.z.test")) == ("AccessDenied", 403)  # fmt: skip


def test_a_repository(cloud: Cloud, session: Any) -> None:
    ecr = cloud.client("ecr")
    for name in ("eks-app", "eks-web"):
        ecr.create_repository(repositoryName=name)
    app = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/eks-app"
    worker = cloud.client("ecr", key=session(allow(["ecr:DescribeImages", "ecr:ListImages"], app)))
    worker.describe_images(repositoryName="eks-app")
    denied = ("AccessDeniedException", 400)
    assert refusal(worker.describe_images, repositoryName="eks-web") == denied
    assert refusal(worker.describe_repositories) == denied
    assert refusal(worker.delete_repository, repositoryName="eks-app") == denied
    assert refusal(worker.get_authorization_token) == denied


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("iam", "list_roles", {}),
        ("iam", "create_user", {"UserName": "mallory"}),
        ("cloudformation", "describe_stacks", {}),
        ("ec2", "create_vpc", {"CidrBlock": "10.0.0.0/16"}),
        ("elbv2", "describe_load_balancers", {}),
        ("eks", "list_clusters", {}),
        ("rds", "describe_db_instances", {}),
        ("kms", "list_keys", {}),
        ("events", "list_rules", {}),
        ("acm", "list_certificates", {}),
    ],
)
def test_everything_else_takes_a_policy_that_says_star(
    cloud: Cloud, session: Any, service: str, operation: str, parameters: dict[str, Any]
) -> None:
    own = "arn:aws:iam::*:role/*" if service == "iam" else f"arn:aws:{service}:*:{ACCOUNT}:*"
    key = session(allow("*", own))
    assert refusal(getattr(cloud.client(service, key=key), operation), **parameters)[0] in (
        "AccessDenied", "AccessDeniedException", "UnauthorizedOperation",
    )  # fmt: skip


def test_a_policy_that_says_star(cloud: Cloud, session: Any) -> None:
    key = session(allow("ec2:Describe*"), allow("elasticloadbalancing:Describe*"))
    assert cloud.client("ec2", key=key).describe_vpcs()["Vpcs"]
    assert cloud.client("elbv2", key=key).describe_load_balancers()["LoadBalancers"] == []


def test_policies_are_taken_as_they_are_now(cloud: Cloud, session: Any) -> None:
    key = session(allow("route53:ListHostedZones"))
    zones = cloud.client("route53", key=key)
    zones.list_hosted_zones()
    cloud.client("iam").delete_role_policy(RoleName="worker", PolicyName="own")
    assert refusal(zones.list_hosted_zones) == ("AccessDenied", 403)
    managed = cloud.client("iam").create_policy(
        PolicyName="zones", PolicyDocument=policy([allow("route53:ListHostedZones")])
    )["Policy"]["Arn"]
    cloud.client("iam").attach_role_policy(RoleName="worker", PolicyArn=managed)
    zones.list_hosted_zones()


def test_sessions_of_a_role_that_was_made_anew_are_void(cloud: Cloud, session: Any, cluster: Issuer) -> None:
    key = session(allow("route53:ListHostedZones"))
    iam = cloud.client("iam")
    iam.delete_role_policy(RoleName="worker", PolicyName="own")
    iam.delete_role(RoleName="worker")
    provider = iam.list_open_id_connect_providers()["OpenIDConnectProviderList"][0]["Arn"]
    cloud.role("worker", federated(provider, aud="sts.amazonaws.com"), [allow("route53:ListHostedZones")])
    assert refusal(cloud.client("route53", key=key).list_hosted_zones) == ("AccessDenied", 403)


def test_what_nobody_has_is_said_loudly(cloud: Cloud) -> None:
    assert refusal(cloud.client("sts").get_session_token) == ("NotImplemented", 501)
    assert refusal(cloud.client("ecr").create_pull_through_cache_rule, ecrRepositoryPrefix="quay",
                   upstreamRegistryUrl="quay.io") == ("NotImplementedException", 501)  # fmt: skip
    assert refusal(cloud.client("appconfig").list_applications)[1] >= 400


def test_the_log_knows_who_and_what_and_no_secret(cloud: Cloud, session: Any, capsys: Any) -> None:
    key = session(allow("secretsmanager:*"))
    cloud.client("secretsmanager", key=key).create_secret(Name="a", SecretString="very-secret-value")
    started: list[str] = []
    environ = wire.environment(cloud.sent)
    list(cloud.gate(environ, lambda status, headers: started.append(status)))
    said = capsys.readouterr().out
    assert started == ["200 OK"]  # the very same request once more changes nothing
    assert f'"principal": "arn:aws:sts::{ACCOUNT}:assumed-role/worker/pod"' in said
    assert '"action": "secretsmanager:CreateSecret"' in said
    for secret in (*key, "very-secret-value"):
        assert secret not in said


def test_faults_are_for_one_service_and_end_when_told(cloud: Cloud) -> None:
    assert cloud.put("settings", {"fail_status": {"secretsmanager": 503}}).status == 204
    assert refusal(cloud.client("secretsmanager").list_secrets)[1] == 503
    cloud.client("route53").list_hosted_zones()
    assert cloud.put("settings", {}).status == 204
    cloud.client("secretsmanager").list_secrets()
