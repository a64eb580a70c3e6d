"""Each role lets in exactly whom it should, and may do exactly what its workload needs: asked of our IAM evaluator."""

from dataclasses import dataclass

import pytest

from policies.iam import Policy, Request, decide, parse
from policies.iam.excess import Need, excess, missing
from policies.iam.repository import Repository
from policies.iam.repository import adversaries as strangers
from policies.iam.repository import rightful as releases
from policies.iam.service_account import ServiceAccount, adversaries, rightful
from tests.unit.infra.resolved import ISSUER, Stack, document

ACCOUNT, REGION = "210987654321", "ap-northeast-1"
REPOSITORY = Repository("acme", "slipway", "40250163", "913377402")


@dataclass(frozen=True, slots=True)
class Role:
    """A role of the template, by logical id: its ServiceAccount and what that needs."""

    logical: str
    name: str
    account: str
    needs: tuple[Need, ...]


def secret(name: str) -> tuple[Need, ...]:
    arn = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}-a1B2c3"
    return tuple(Need(f"secretsmanager:{action}", arn) for action in ("DescribeSecret", "GetSecretValue"))


def images(name: str, actions: str) -> tuple[Need, ...]:
    arn = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{name}"
    return tuple(Need(f"ecr:{action}", arn) for action in actions.split())


LOG_IN = Need("ecr:GetAuthorizationToken", "*")
ZONE = "arn:aws:route53:::hostedzone/Z0123456789ABCDEFGHIJ"
PUSH = (
    "BatchCheckLayerAvailability BatchGetImage CompleteLayerUpload GetDownloadUrlForLayer InitiateLayerUpload "
    "ListImages PutImage UploadLayerPart"
)
ROLES = (
    Role("Secrets", "create-secret-from-secrets-manager-role", "main/account-to-access-secrets", secret("database-secrets")),
    Role("ExternalDns", "role-for-external-dns", "main/account-for-external-dns", (
        Need("route53:ChangeResourceRecordSets", ZONE), Need("route53:ListResourceRecordSets", ZONE),
        Need("route53:ListTagsForResources", ZONE), Need("route53:ListHostedZones", "*"),
    )),
    Role("ImageUpdater", "role-for-image-updater", "argocd/argocd-image-updater", (
        LOG_IN, *images("eks-app", "BatchGetImage GetDownloadUrlForLayer ListImages"),
        *secret("image-updater-webhook"), *secret("git-credentials"),
    )),
    Role("DbMigrator", "role-for-db-migrator", "main/account-for-db-migrator", (
        Need("rds-db:connect", f"arn:aws:rds-db:{REGION}:{ACCOUNT}:dbuser:db-ABCDEFGHIJKLMNOPQRSTUVWXYZ/migrator"),
    )),
)  # fmt: skip
GITHUB_NEEDS = (
    LOG_IN,
    *(need for name in ("eks-app", "eks-web", "eks-migration") for need in images(name, PUSH)),
)
BY_LOGICAL = {role.logical: role for role in ROLES}


@pytest.fixture(scope="module")
def stack() -> Stack:
    return Stack("production", "identity")


def arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def service_account(role: Role) -> ServiceAccount:
    namespace, name = role.account.split("/")
    return ServiceAccount(namespace, name, ISSUER)


def policies(stack: Stack, logical: str) -> list[Policy]:
    return [
        parse(document(item["PolicyDocument"]), "identity") for item in stack.properties(logical)["Policies"]
    ]


@pytest.mark.parametrize("logical", list(BY_LOGICAL))
def test_a_role_trusts_exactly_its_service_account(stack: Stack, logical: str) -> None:
    role = BY_LOGICAL[logical]
    found = stack.properties(logical)
    assert found["RoleName"] == role.name
    trust = parse(document(found["AssumeRolePolicyDocument"]), "trust")
    account = service_account(role)
    assert {caller.id: caller.knock(trust).allowed for caller in rightful(account, arn(role.name))} == {
        "itself": True
    }
    assert [caller.id for caller in adversaries(account, arn(role.name)) if caller.knock(trust).allowed] == []


@pytest.mark.parametrize("logical", list(BY_LOGICAL))
def test_a_role_may_do_what_its_workload_needs_and_nothing_else(stack: Stack, logical: str) -> None:
    role = BY_LOGICAL[logical]
    assert missing(policies(stack, logical), role.needs) == ()
    found = excess(policies(stack, logical), role.needs, ACCOUNT)
    assert [f"{request.action} on {request.resource}" for request in found] == []


def test_role_github_trusts_the_version_tags_of_this_repository_in_both_forms(stack: Stack) -> None:
    found = stack.properties("Github")
    trust = parse(document(found["AssumeRolePolicyDocument"]), "trust")
    let_in = {caller.id: caller.knock(trust).allowed for caller in releases(REPOSITORY, arn("role-github"))}
    assert set(let_in.values()) == {True}, let_in
    assert len(let_in) == 6
    assert [
        caller.id for caller in strangers(REPOSITORY, arn("role-github")) if caller.knock(trust).allowed
    ] == []


def test_role_github_may_publish_to_three_repositories_and_nothing_else(stack: Stack) -> None:
    assert missing(policies(stack, "Github"), GITHUB_NEEDS) == ()
    found = excess(policies(stack, "Github"), GITHUB_NEEDS, ACCOUNT)
    assert [f"{request.action} on {request.resource}" for request in found] == []


CLUSTER_TAG = "aws:resourcetag/elbv2.k8s.aws/cluster"


@pytest.mark.parametrize(("action", "resource", "context", "allowed"), [
    ("elasticloadbalancing:DeleteLoadBalancer", "loadbalancer/app/k8s-main-x/1", {CLUSTER_TAG: ("slipway-production",)}, True),
    ("elasticloadbalancing:DeleteLoadBalancer", "loadbalancer/app/k8s-main-x/1", {CLUSTER_TAG: ("another",)}, False),
    ("elasticloadbalancing:DeleteLoadBalancer", "loadbalancer/app/k8s-main-x/1", {}, False),
    ("elasticloadbalancing:CreateLoadBalancer", "loadbalancer/app/k8s-main-x/1",
     {"aws:requesttag/elbv2.k8s.aws/cluster": ("slipway-production",)}, True),
    ("elasticloadbalancing:CreateLoadBalancer", "loadbalancer/app/k8s-main-x/1", {}, False),
    ("elasticloadbalancing:CreateListener", "loadbalancer/app/k8s-main-x/1", {CLUSTER_TAG: ("slipway-production",)}, True),
    ("elasticloadbalancing:CreateListener", "loadbalancer/app/shop/1", {}, False),
    ("elasticloadbalancing:CreateRule", "listener/app/k8s-main-x/1/2", {}, True),
    ("elasticloadbalancing:DeleteRule", "listener-rule/app/shop/1/2/3", {}, False),
    ("elasticloadbalancing:RegisterTargets", "targetgroup/k8s-main-x/1", {CLUSTER_TAG: ("slipway-production",)}, True),
    ("elasticloadbalancing:RegisterTargets", "targetgroup/shop/1", {}, False),
    ("ec2:AuthorizeSecurityGroupIngress", "security-group/sg-1",
     {"aws:resourcetag/kubernetes.io/cluster/slipway-production": ("owned",)}, True),
    ("ec2:AuthorizeSecurityGroupIngress", "security-group/sg-1", {}, False),
    ("ec2:DeleteSecurityGroup", "security-group/sg-1",
     {"aws:resourcetag/kubernetes.io/cluster/slipway-production": ("owned",)}, False),
    ("ec2:DeleteSecurityGroup", "security-group/sg-1", {CLUSTER_TAG: ("slipway-production",)}, True),
    ("ec2:DeleteVpc", "vpc/vpc-1", {CLUSTER_TAG: ("slipway-production",)}, False),
    ("ec2:RunInstances", "instance/*", {}, False),
])  # fmt: skip
def test_the_load_balancer_controller_is_held_to_its_cluster(
    stack: Stack, action: str, resource: str, context: dict[str, tuple[str, ...]], allowed: bool
) -> None:
    request = Request(
        action, f"arn:aws:{action.split(':', maxsplit=1)[0]}:{REGION}:{ACCOUNT}:{resource}", context
    )
    assert decide(request, identity=policies(stack, "LoadBalancerController")).allowed is allowed


def test_the_load_balancer_controller_trusts_exactly_its_service_account(stack: Stack) -> None:
    name = "role-for-load-balancer-controller"
    trust = parse(document(stack.properties("LoadBalancerController")["AssumeRolePolicyDocument"]), "trust")
    account = ServiceAccount("kube-system", "aws-load-balancer-controller", ISSUER)
    assert all(caller.knock(trust).allowed for caller in rightful(account, arn(name)))
    assert [caller.id for caller in adversaries(account, arn(name)) if caller.knock(trust).allowed] == []


def test_the_network_plugin_s_role_trusts_exactly_its_service_account() -> None:
    found = Stack("production", "cluster").properties("VpcCniRole")
    trust = parse(document(found["AssumeRolePolicyDocument"]), "trust")
    account = ServiceAccount("kube-system", "aws-node", ISSUER)
    assert all(caller.knock(trust).allowed for caller in rightful(account, arn("cni")))
    assert [caller.id for caller in adversaries(account, arn("cni")) if caller.knock(trust).allowed] == []


def test_a_trust_policy_that_forgets_the_audience_would_be_seen(stack: Stack) -> None:
    """The tests above can fail: without `aud`, and with a wildcard, somebody else is let in."""
    text = stack.properties("Secrets")["AssumeRolePolicyDocument"]
    for old, new in ((f'"{ISSUER}:aud": "sts.amazonaws.com",', ""), (":account-to-access-secrets", ":*")):
        loose = text.replace(old, new).replace("StringEquals", "StringLike")
        assert loose != text
        trust = parse(document(loose), "trust")
        account = ServiceAccount("main", "account-to-access-secrets", ISSUER)
        assert [caller for caller in adversaries(account, arn("x")) if caller.knock(trust).allowed]
