"""What may a role do beyond what it needs? Asked of its policies concretely, request by request.

Three sources of questions: the needs themselves with something changed (another name, account or region, another
action of the service), what the policies were written to allow (witness.py), and actions that make every
other limit worthless. A request that is allowed and that no need covers is excess.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain, product

from policies.iam.document import Policy
from policies.iam.evaluation import Request, decide
from policies.iam.patterns import Patterns, Reading, Text, patterns
from policies.iam.principals import account
from policies.iam.wildcards import ARN_SEGMENTS, Style
from policies.iam.witness import WORD, example, witnesses

Context = Mapping[str, tuple[str, ...]]

SERVICES: Mapping[str, str] = {
    "secretsmanager": "GetSecretValue BatchGetSecretValue DescribeSecret ListSecrets PutSecretValue UpdateSecret "
    "CreateSecret DeleteSecret PutResourcePolicy RotateSecret",
    "ecr": "GetAuthorizationToken BatchGetImage GetDownloadUrlForLayer BatchCheckLayerAvailability DescribeImages "
    "DescribeRepositories ListImages InitiateLayerUpload UploadLayerPart CompleteLayerUpload PutImage BatchDeleteImage "
    "CreateRepository DeleteRepository SetRepositoryPolicy PutImageTagMutability PutLifecyclePolicy",
    "route53": "ChangeResourceRecordSets ListResourceRecordSets ListTagsForResources ListTagsForResource "
    "ListHostedZones GetHostedZone CreateHostedZone DeleteHostedZone AssociateVPCWithHostedZone",
    "rds-db": "connect",
    "rds": "DescribeDBInstances ModifyDBInstance DeleteDBInstance CreateDBSnapshot ModifyDBSnapshotAttribute",
    "elasticloadbalancing": "DescribeLoadBalancers CreateLoadBalancer DeleteLoadBalancer ModifyListener AddTags",
    "ec2": "DescribeInstances RunInstances TerminateInstances AuthorizeSecurityGroupIngress DeleteVpc CreateTags",
    "kms": "Decrypt Encrypt PutKeyPolicy ScheduleKeyDeletion CreateGrant",
    "eks": "DescribeCluster AccessKubernetesApi CreateAccessEntry AssociateAccessPolicy DeleteCluster",
    "events": "PutRule PutTargets PutEvents",
    "acm": "DescribeCertificate ExportCertificate DeleteCertificate",
    "s3": "GetObject PutObject ListAllMyBuckets DeleteBucket PutBucketPolicy",
    "ssm": "GetParameter SendCommand StartSession",
}
"""Actions to try of the services that Slipway uses, and of some that it has no business with."""

POWERS: tuple[tuple[str, str], ...] = (
    ("iam:CreateUser", "arn:aws:iam::{account}:user/{word}"),
    ("iam:CreateAccessKey", "arn:aws:iam::{account}:user/{word}"),
    ("iam:CreateRole", "arn:aws:iam::{account}:role/{word}"),
    ("iam:PassRole", "arn:aws:iam::{account}:role/{word}"),
    ("iam:AttachRolePolicy", "arn:aws:iam::{account}:role/{word}"),
    ("iam:PutRolePolicy", "arn:aws:iam::{account}:role/{word}"),
    ("iam:UpdateAssumeRolePolicy", "arn:aws:iam::{account}:role/{word}"),
    ("iam:CreatePolicyVersion", "arn:aws:iam::{account}:policy/{word}"),
    ("iam:ListRoles", "*"),
    ("sts:AssumeRole", "arn:aws:iam::{account}:role/{word}"),
    ("sts:AssumeRole", "arn:aws:iam::999999999999:role/{word}"),
    ("cloudformation:CreateStack", "arn:aws:cloudformation:us-east-1:{account}:stack/{word}/*"),
    ("lambda:UpdateFunctionCode", "arn:aws:lambda:us-east-1:{account}:function:{word}"),
    ("organizations:LeaveOrganization", "*"),
    ("account:CloseAccount", "*"),
    (f"{WORD}:Anything", "*"),
)
"""Actions by which a role becomes another, or undoes the account; the last is of a service that does not exist."""


@dataclass(frozen=True, slots=True)
class Need:
    """What a workload needs: an action and a resource, both with wildcards as in a policy; a context if it matters."""

    action: str
    resource: str
    context: Context = field(default_factory=dict)

    def covers(self, request: Request) -> bool:
        """Return whether `request` is what the need asks for; its context narrows the need."""
        return (
            _pattern(self.action, Reading(Style.TEXT, ignore_case=True)).match(request.action, {})
            and _pattern(self.resource, Reading(Style.RESOURCE)).match(request.resource, {})
            and all(request.context.get(key.lower()) == values for key, values in self.context.items())
        )


@lru_cache(maxsize=1024)
def _pattern(text: str, reading: Reading) -> Patterns:
    return patterns([Text("", text)], reading)


def permits(
    policies: Sequence[Policy],
    action: str,
    resource: str,
    context: Context | None = None,
    boundary: Sequence[Policy] | None = None,
) -> bool:
    """Return whether a role with these identity policies may do this."""
    return decide(Request(action, resource, context or {}), identity=policies, boundary=boundary).allowed


def missing(policies: Sequence[Policy], needs: Iterable[Need]) -> tuple[Need, ...]:
    """Return the needs that the policies do not permit, tried with an example of each."""
    return tuple(
        need
        for need in needs
        if not permits(policies, example(need.action), example(need.resource), need.context)
    )


def excess(policies: Sequence[Policy], needs: Sequence[Need], owner: str) -> tuple[Request, ...]:
    """Return probing requests that the policies permit and that no need covers; `owner` is the role's account.

    Each action and resource comes once, however many contexts it is allowed in.
    """
    found: dict[tuple[str, str], Request] = {}
    for request in _probes(policies, needs, owner):
        key = (request.action.lower(), request.resource)
        if key in found or any(need.covers(request) for need in needs):
            continue
        if decide(request, identity=policies).allowed:
            found[key] = request
    return tuple(found.values())


def _probes(policies: Sequence[Policy], needs: Sequence[Need], owner: str) -> Iterator[Request]:
    actions = tuple(f"{service}:{name}" for service, names in SERVICES.items() for name in names.split())
    powers = tuple((action, resource.format(account=owner, word=WORD)) for action, resource in POWERS)
    resources = tuple(dict.fromkeys(chain.from_iterable(map(_around, needs))))
    contexts: list[Context] = [{}, *(need.context for need in needs if need.context)]
    known = (*actions, *(example(need.action) for need in needs))
    for resource, context in product(resources, contexts):
        service = resource.split(":")[2] if resource.startswith("arn:") else ""
        for action in known:
            if service in ("", action.partition(":")[0]):
                yield Request(action, resource, context)
    every = (*known, *(action for action, _ in powers))
    for policy in policies:
        yield from witnesses(policy, every, ("*", *resources, *(resource for _, resource in powers)))


def _around(need: Need) -> Iterator[str]:
    """Yield the need's resource and its neighbours: names that look alike, another account, another region."""
    resource = example(need.resource)
    yield resource
    parts = resource.split(":", ARN_SEGMENTS - 1)
    if len(parts) < ARN_SEGMENTS:
        return
    for name in (f"{parts[5]}-{WORD}", _renamed(parts[5])):
        yield ":".join((*parts[:5], name))
    if account(resource):
        yield ":".join((*parts[:4], "999999999999", parts[5]))
    if parts[3]:
        yield ":".join(
            (*parts[:3], "eu-central-1" if parts[3] != "eu-central-1" else "us-east-1", *parts[4:])
        )


def _renamed(resource: str) -> str:
    """Return another resource of the same type: `secret:a` -> `secret:slipway-probe`, `hostedzone/Z` likewise."""
    cut = max(resource.rfind("/"), resource.rfind(":"))
    return resource[: cut + 1] + WORD
