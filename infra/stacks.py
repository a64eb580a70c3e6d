"""The stacks of one environment: what each template gets, and from which stack. Pure."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest

from ci.settings import Wiring
from infra.environment import CONCERNS, Environment
from infra.parameters import Parameters

DEADLINES = {"cluster": 3600.0, "database": 3600.0, "dns": 7200.0}
"""Seconds that a stack may take, where 15 minutes are not enough. dns waits for the registrar to delegate the zone."""

WEBHOOK_PREFIX = "image-updater"


@dataclass(frozen=True, slots=True)
class Output:
    """A value that an earlier stack tells when it is deployed."""

    concern: str
    name: str

    @property
    def placeholder(self) -> str:
        """What stands for the value in the plan of a stack whose predecessor does not exist yet."""
        return f"known-after-{self.concern}-{self.name}"


@dataclass(frozen=True, slots=True)
class Stack:
    """One stack as it should be: `inputs` are the template's parameters."""

    name: str
    concern: str
    template: str
    inputs: Mapping[str, str | Output]
    tags: Mapping[str, str]
    protected: bool

    @property
    def deadline(self) -> float:
        """Seconds after which a deployment is no longer waited for."""
        return DEADLINES.get(self.concern, 900.0)


def webhook_host(wiring: Wiring) -> str:
    """Return the public name under which EventBridge reaches Image Updater."""
    return f"{WEBHOOK_PREFIX}.{wiring.domain}"


def catalogue(environment: Environment) -> tuple[Stack, ...]:
    """Return the environment's stacks, each after those whose outputs it takes."""
    name = environment.wiring.environment
    inputs = _inputs(environment.wiring, environment.parameters)
    return tuple(
        Stack(
            name=f"slipway-{name}-{concern}",
            concern=concern,
            template=environment.templates[concern],
            inputs=inputs[concern],
            tags={"slipway:environment": name, "slipway:stack": f"slipway-{name}-{concern}"},
            protected=environment.parameters.protected,
        )
        for concern in CONCERNS
    )


def _inputs(wiring: Wiring, parameters: Parameters) -> dict[str, Mapping[str, str | Output]]:
    """One entry per template, its parameters in the template's order."""
    network, cluster, database = parameters.network, parameters.cluster, parameters.database
    owner, repository = wiring.repo_url.removesuffix(".git").split("/")[-2:]
    protected = _word(parameters.protected)
    return {
        "network": {
            "VpcName": wiring.vpc_name,
            "ClusterName": wiring.cluster_name,
            "VpcCidr": str(network.cidr),
            **dict(_by_zone(parameters)),
            "NatGateways": network.nat_gateways,
            "Endpoints": _word(network.endpoints),
        },
        "cluster": {
            "ClusterName": wiring.cluster_name,
            "KubernetesVersion": cluster.version,
            "PrivateSubnetIds": Output("network", "PrivateSubnetIds"),
            "Administrator": f"arn:aws:iam::{wiring.account}:{cluster.administrator}",
            "ApiCidrs": ",".join(map(str, cluster.api_cidrs)),
            "InstanceTypes": ",".join(cluster.instance_types),
            "NodesMin": str(cluster.nodes_min),
            "NodesMax": str(cluster.nodes_max),
            "NodeDiskGiB": str(cluster.disk_gib),
            "VpcCniVersion": cluster.vpc_cni,
            "KubeProxyVersion": cluster.kube_proxy,
            "CorednsVersion": cluster.coredns,
            "LogDays": str(cluster.log_days),
            "Protected": protected,
        },
        "database": {
            "VpcId": Output("network", "VpcId"),
            "PrivateSubnetIds": Output("network", "PrivateSubnetIds"),
            "NodeSecurityGroupId": Output("cluster", "NodeSecurityGroupId"),
            "DatabaseName": database.name,
            "UserName": database.user,
            "Port": str(database.port),
            "EngineVersion": database.version,
            "ParameterFamily": f"postgres{database.version.split('.')[0]}",
            "InstanceClass": database.instance_class,
            "StorageGiB": str(database.storage_gib),
            "StorageMaxGiB": str(database.storage_max_gib),
            "BackupDays": str(database.backup_days),
            "MultiAz": _word(database.multi_az),
            "Protected": protected,
        },
        "registry": {"UntaggedDays": str(parameters.registry.untagged_days)},
        "dns": {"Domain": wiring.domain, "Host": wiring.host, "WebhookHost": webhook_host(wiring)},
        "identity": {
            "RoleGithub": wiring.role_github,
            "RoleSecrets": wiring.role_secrets,
            "RoleExternalDns": wiring.role_external_dns,
            "RoleImageUpdater": wiring.role_image_updater,
            "RoleLoadBalancerController": wiring.role_load_balancer_controller,
            "RoleDbMigrator": wiring.role_db_migrator,
            "GithubOwner": owner,
            "GithubRepository": repository,
            "GithubOwnerId": parameters.identity.github_owner_id,
            "GithubRepositoryId": parameters.identity.github_repository_id,
            "ClusterName": Output("cluster", "ClusterName"),
            "VpcId": Output("network", "VpcId"),
            "Issuer": Output("cluster", "Issuer"),
            "OidcProviderArn": Output("cluster", "OidcProviderArn"),
            "AppRepositoryArn": Output("registry", "AppArn"),
            "WebRepositoryArn": Output("registry", "WebArn"),
            "MigrationRepositoryArn": Output("registry", "MigrationArn"),
            "HostedZoneId": Output("dns", "HostedZoneId"),
            "DatabaseSecretArn": Output("database", "SecretArn"),
            "DatabaseResourceId": Output("database", "ResourceId"),
            "MigratorUserName": parameters.identity.migrator_user,
        },
        "events": {
            "Environment": wiring.environment,
            "WebhookHost": webhook_host(wiring),
            "WebhookSecretArn": Output("identity", "WebhookSecretArn"),
        },
    }


def _by_zone(parameters: Parameters) -> Iterator[tuple[str, str]]:
    network = parameters.network
    rows = zip_longest("ABC", network.zones, network.public_subnets, network.private_subnets, fillvalue="")
    for letter, zone, public, private in rows:
        yield f"Zone{letter}", zone
        yield f"PublicCidr{letter}", str(public)
        yield f"PrivateCidr{letter}", str(private)


def _word(value: bool) -> str:
    return json.dumps(value)
