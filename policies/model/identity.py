"""Who becomes which role, and what for: ServiceAccounts, workflows, and what they need of AWS."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from policies.finding import Position
from policies.iam import Malformed, Policy, parse
from policies.iam.document import Kind
from policies.iam.excess import Need
from policies.iam.repository import Repository
from policies.iam.service_account import ServiceAccount
from policies.model.infra import Role
from policies.model.objects import Object, Pod, split_image
from policies.model.secrets import remotes
from policies.model.shape import dig, mapping
from policies.model.system import Environment, System
from policies.model.updater import references

ANNOTATION = "eks.amazonaws.com/role-arn"


@dataclass(frozen=True, slots=True, eq=False)
class Account:
    """A ServiceAccount that names a role; without object where a chart makes it."""

    namespace: str
    name: str
    role: str
    position: Position
    object: Object | None

    @property
    def label(self) -> str:
        """Namespace and name."""
        return f"{self.namespace}/{self.name}"

    def caller(self, issuer: str) -> ServiceAccount:
        """The account as STS sees it."""
        return ServiceAccount(self.namespace, self.name, issuer)


def accounts(environment: Environment) -> Iterator[Account]:
    """Every ServiceAccount with a role, those in the values of charts included."""
    for found in environment.kind("ServiceAccount"):
        role = found.annotations.get(ANNOTATION)
        if role:
            place = found.at("metadata", "annotations", ANNOTATION)
            yield Account(found.namespace, found.name, str(role), place, found)
    for application in environment.applications:
        path = ("spec", "source", "helm", "valuesObject", "serviceAccount")
        chart = mapping(application.object.get(*path))
        role = dig(chart, "annotations", ANNOTATION)
        named = str(chart.get("name") or application.name)
        rendered = environment.find("ServiceAccount", application.namespace, named)
        if role and rendered is None:
            place = application.at(*path, "annotations", ANNOTATION)
            yield Account(application.namespace, named, str(role), place, None)


def web_identity_roles(environment: Environment) -> list[Role]:
    """The roles that trust an identity provider, and so wait for an account or a workflow."""
    return [role for role in environment.infra.roles.values() if "Federated" in str(role.trust)]


def add_on_roles(environment: Environment) -> set[str]:
    """ARNs that EKS add-ons and pod identity associations are given in the templates."""
    return {
        str(each.properties.get(key))
        for each in environment.infra.resources
        for key in ("ServiceAccountRoleArn", "RoleArn")
        if key in each.properties
    }


def trust(role: Role) -> Policy | Malformed:
    """The role's trust policy, or why AWS would refuse it."""
    return _parsed(_frozen(role.trust), "trust")


def permissions(role: Role) -> tuple[Policy, ...]:
    """The role's own policies; those that AWS would refuse are left out (a rule of their own reports them)."""
    found = (_parsed(_frozen(document), "identity") for document in role.policies)
    return tuple(each for each in found if isinstance(each, Policy))


def malformed(role: Role) -> Iterator[tuple[Position, Malformed]]:
    """What AWS would refuse of a role's documents."""
    own = _parsed(_frozen(role.trust), "trust")
    if isinstance(own, Malformed):
        yield role.trust_at, own
    for document in role.policies:
        found = _parsed(_frozen(document), "identity")
        if isinstance(found, Malformed):
            yield role.policies_at, found


def repository(environment: Environment) -> Repository | None:
    """The repository whose workflows release, with its ids where the parameters tell them."""
    parts = environment.wiring.get("repoUrl", "").removesuffix(".git").split("/")
    if len(parts) < 5:
        return None
    document = environment.sources.document(f"infra/parameters/{environment.name}.yaml")
    identity = mapping(dig(document.value if document else None, "identity"))
    ids = (str(identity.get(key) or "") for key in ("githubOwnerId", "githubRepositoryId"))
    return Repository(parts[-2], parts[-1], *ids)


def github_role(environment: Environment) -> Role | None:
    """The role of the release workflow."""
    return environment.infra.roles.get(environment.wiring.get("roleGithub", ""))


def users(environment: Environment, account: Account) -> list[Object]:
    """What uses an account: pods that run as it, stores and generators that log in as it."""
    found = [pod.owner for pod in environment.pods_in(account.namespace) if pod.account == account.name]
    for kind in ("SecretStore", "ClusterSecretStore", "ECRAuthorizationToken"):
        found += [
            each for each in environment.kind(kind) if _logs_in(each) == (account.namespace, account.name)
        ]
    return found


def needs(system: System, environment: Environment, account: Account) -> list[Need] | None:
    """What the users of an account ask AWS for; None where no rule knows (a chart of others).

    One template makes the role for every environment, so a secret that is read in one of them counts in all.
    """
    if account.object is None or account.object.foreign:
        return None
    keys = {key for each in system.environments for key in _secret_keys(each, account)}
    wanted = _secrets(environment, keys)
    for user in users(environment, account):
        if user.kind == "ECRAuthorizationToken":
            wanted += _registry(environment)
        else:
            pods = (pod for pod in environment.pods_of(user.path) if pod.owner is user)
            wanted += [need for pod in pods for need in _pod(environment, pod)]
    return wanted


def publishing(system: System, environment: Environment) -> list[Need]:
    """What a release asks of ECR: to log in, and to push the images that the bake file builds."""
    actions = (
        "BatchCheckLayerAvailability", "BatchGetImage", "CompleteLayerUpload", "GetDownloadUrlForLayer",
        "InitiateLayerUpload", "ListImages", "PutImage", "UploadLayerPart",
    )  # fmt: skip
    return [Need("ecr:GetAuthorizationToken", "*")] + [
        Need(f"ecr:{action}", _repository_arn(environment, target.image))
        for target in system.product.targets
        for action in actions
    ]


def _secret_keys(environment: Environment, account: Account) -> set[str]:
    """Names of the secrets that ExternalSecrets read through stores which log in as the account."""
    stores = {
        (each.kind, each.namespace, each.name)
        for kind in ("SecretStore", "ClusterSecretStore")
        for each in environment.kind(kind)
        if _logs_in(each) == (account.namespace, account.name)
    }
    found = set()
    for external in environment.kind("ExternalSecret"):
        kind = str(external.get("spec", "secretStoreRef", "kind") or "SecretStore")
        namespace = external.namespace if kind == "SecretStore" else ""
        if (kind, namespace, str(external.get("spec", "secretStoreRef", "name"))) in stores:
            found |= {remote.key for remote in remotes(external)}
    return found


def _secrets(environment: Environment, keys: set[str]) -> list[Need]:
    made = environment.infra.secrets
    arns = [environment.infra.reference(made[key]) for key in sorted(keys) if key in made]
    return [
        Need(f"secretsmanager:{action}", arn)
        for arn in arns
        for action in ("GetSecretValue", "DescribeSecret")
    ]


def _registry(environment: Environment) -> list[Need]:
    tracked = {image.name.rpartition("/")[2] for each in references(environment) for image in each.images}
    actions = ("BatchGetImage", "GetDownloadUrlForLayer", "ListImages")
    return [Need("ecr:GetAuthorizationToken", "*")] + [
        Need(f"ecr:{action}", _repository_arn(environment, name))
        for name in sorted(tracked)
        for action in actions
    ]


def _pod(environment: Environment, pod: Pod) -> list[Need]:
    for container in pod.containers:
        image = split_image(container.image)[0].rpartition("/")[2]
        if image == "external-dns":
            zones = environment.infra.of("AWS::Route53::HostedZone")
            actions = ("ChangeResourceRecordSets", "ListResourceRecordSets", "ListTagsForResources")
            return [Need("route53:ListHostedZones", "*")] + [
                Need(f"route53:{action}", f"arn:aws:route53:::hostedzone/{environment.infra.reference(zone)}")
                for zone in zones
                for action in actions
            ]
        if image == "eks-migration":
            where = f"arn:aws:rds-db:{environment.infra.region}:{environment.infra.account}:dbuser"
            return [
                Need(
                    "rds-db:connect",
                    f"{where}:{environment.infra.arn(each, 'DbiResourceId')}/{_migrator(environment)}",
                )
                for each in environment.infra.of("AWS::RDS::DBInstance")
            ]
    return []


def _migrator(environment: Environment) -> str:
    document = environment.sources.document(f"infra/parameters/{environment.name}.yaml")
    return str(dig(document.value if document else None, "identity", "migratorUser") or "migrator")


def _repository_arn(environment: Environment, name: str) -> str:
    return f"arn:aws:ecr:{environment.infra.region}:{environment.infra.account}:repository/{name}"


def _logs_in(found: Object) -> tuple[str, str]:
    path: tuple[str, ...] = ("spec", "auth", "jwt", "serviceAccountRef")
    if found.kind != "ECRAuthorizationToken":
        path = ("spec", "provider", "aws", "auth", "jwt", "serviceAccountRef")
    reference = mapping(found.get(*path))
    return str(reference.get("namespace") or found.namespace), str(reference.get("name"))


def _frozen(document: Mapping[str, Any]) -> str:
    return json.dumps(document, sort_keys=True, default=str)


@lru_cache(maxsize=256)
def _parsed(document: str, kind: Kind) -> Policy | Malformed:
    try:
        return parse(json.loads(document), kind)
    except Malformed as error:
        return error


def conditions(document: Mapping[str, Any], effect: str = "") -> Iterator[tuple[str, str, str]]:
    """Operator, key and value of every condition of a document, of statements with this effect."""
    statements = document.get("Statement")
    for statement in statements if isinstance(statements, list) else [statements]:
        if effect and mapping(statement).get("Effect") != effect:
            continue
        for operator, entries in mapping(mapping(statement).get("Condition")).items():
            for key, values in mapping(entries).items():
                for value in values if isinstance(values, list) else [values]:
                    yield operator, key, str(value)
