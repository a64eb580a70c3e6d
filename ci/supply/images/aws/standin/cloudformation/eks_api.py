"""What moto's EKS lacks: add-ons, access entries, updates, tags, and an issuer that is the cluster's own.

It is put into moto's own EKS, so every client sees it: the adapters here, the AWS CLI, the gate.
"""

import hashlib
from typing import Any
from urllib.parse import unquote

from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import utcnow
from moto.ec2.models import ec2_backends
from moto.eks import models, responses, urls
from moto.eks.exceptions import (
    InvalidParameterException,
    InvalidRequestException,
    ResourceInUseException,
    ResourceNotFoundException,
)
from moto.moto_api._internal import mock_random

PATHS = (
    "/clusters/(?P<name>[^/]+)/access-entries$",
    "/clusters/(?P<name>[^/]+)/access-entries/(?P<principalArn>.+)$",
    "/clusters/(?P<name>[^/]+)/addons$",
    "/clusters/(?P<name>[^/]+)/addons/(?P<addonName>[^/]+)$",
    "/clusters/(?P<name>[^/]+)/addons/(?P<addonName>[^/]+)/update$",
    "/clusters/(?P<name>[^/]+)/updates$",
    "/clusters/(?P<name>[^/]+)/updates/(?P<updateId>[^/]+)$",
    "/clusters/(?P<name>[^/]+)/node-groups/(?P<nodegroupName>[^/]+)/update-version$",
)
AUTHORITY = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCnN0YW5kLWluCi0tLS0tRU5EIENFUlRJRklDQVRFLS0tLS0K"
"""A certificate in PEM's form that nobody can mistake for a real one."""

VERSIONS = {
    "vpc-cni": "v1.20.4-eksbuild.1",
    "coredns": "v1.12.4-eksbuild.1",
    "kube-proxy": "v1.34.0-eksbuild.2",
}
"""What an add-on without a version gets."""


def issuer(account: str, region: str, cluster: str) -> str:
    """Return the OIDC issuer of a cluster: the same for the stand-in and for the real local cluster."""
    digest = hashlib.sha256(f"{account}/{region}/{cluster}".encode()).hexdigest()
    return f"https://oidc.eks.{region}.amazonaws.com/id/{digest[:32].upper()}"


def missing(message: str) -> ResourceNotFoundException:
    """Return EKS's answer for something that is not there."""
    return ResourceNotFoundException(
        clusterName=None, nodegroupName=None, fargateProfileName=None, addonName=None, message=message
    )


class Response(responses.EKSResponse):
    """moto's EKS with the rest of what the templates need."""

    def __init__(self) -> None:
        super().__init__()
        self.__class__.__name__ = "EKSResponse"

    def create_cluster(self) -> ActionResult:
        """CreateCluster: with the settings that moto drops, and the security group that EKS makes."""
        vpc = dict(self._get_param("resourcesVpcConfig") or {})
        ec2 = ec2_backends[self.current_account][self.region]
        subnets = [ec2.get_subnet(subnet) for subnet in vpc.get("subnetIds", [])]
        if len({subnet.availability_zone for subnet in subnets}) < 2:
            raise InvalidParameterException(message="Subnets specified must be in at least two different AZs")
        result: Any = super().create_cluster().result
        cluster = result["cluster"]
        access = self._get_param("accessConfig") or {}
        cluster.identity = {"oidc": {"issuer": issuer(self.current_account, self.region, cluster.name)}}
        cluster.certificate_authority = {"data": AUTHORITY}
        unique = hashlib.sha256(cluster.identity["oidc"]["issuer"].encode()).hexdigest()[:32].upper()
        cluster.endpoint = f"https://{unique}.gr7.{self.region}.eks.amazonaws.com"
        cluster.access_config = {
            "authenticationMode": access.get("authenticationMode", "CONFIG_MAP"),
            "bootstrapClusterCreatorAdminPermissions": access.get(
                "bootstrapClusterCreatorAdminPermissions", True
            ),
        }
        cluster.upgrade_policy = self._get_param("upgradePolicy") or {"supportType": "EXTENDED"}
        cluster.deletion_protection = bool(self._get_param("deletionProtection"))
        group = ec2.create_security_group(
            f"eks-cluster-sg-{cluster.name}", "EKS created security group applied to ENI that is attached to EKS Control Plane master nodes, as well as any managed workloads.",
            subnets[0].vpc_id, {"Name": f"eks-cluster-sg-{cluster.name}"},
        )  # fmt: skip
        cluster.resources_vpc_config = {
            "endpointPublicAccess": True,
            "endpointPrivateAccess": False,
            "publicAccessCidrs": ["0.0.0.0/0"],
            "securityGroupIds": [],
            **vpc,
            "vpcId": subnets[0].vpc_id,
            "clusterSecurityGroupId": group.id,
        }
        # The control plane reaches into the subnets, which therefore cannot be deleted before it.
        cluster.interfaces = [
            ec2.create_network_interface(
                subnet, "", group_ids=[group.id], description=f"Amazon EKS {cluster.name}"
            ).id
            for subnet in subnets
        ]
        cluster.addons, cluster.access_entries, cluster.updates = {}, {}, {}
        return ActionResult({"cluster": cluster})

    def delete_cluster(self) -> ActionResult:
        """DeleteCluster: refused while it is protected; its security group goes with it."""
        cluster = self._cluster()
        if cluster.deletion_protection:
            raise InvalidRequestException(
                message=f"Cluster {cluster.name} has deletion protection enabled and cannot be deleted"
            )
        answer = super().delete_cluster()
        ec2 = ec2_backends[self.current_account][self.region]
        for interface in cluster.interfaces:
            ec2.delete_network_interface(interface)
        ec2.delete_security_group(None, cluster.resources_vpc_config["clusterSecurityGroupId"])
        return answer

    def update_cluster_config(self) -> ActionResult:
        """UpdateClusterConfig: one kind of change per call, as EKS wants it."""
        cluster = self._cluster()
        given = {
            name: self._get_param(name)
            for name in (
                "resourcesVpcConfig",
                "logging",
                "accessConfig",
                "upgradePolicy",
                "deletionProtection",
            )
        }
        given = {name: value for name, value in given.items() if value is not None}
        if len(given) != 1:
            raise InvalidParameterException(
                message="The type for cluster update was not provided or is not single."
            )
        ((name, value),) = given.items()
        if name == "resourcesVpcConfig":
            cluster.resources_vpc_config = {**cluster.resources_vpc_config, **value}
        elif name == "logging":
            cluster.logging = value
        elif name == "accessConfig":
            cluster.access_config = {**cluster.access_config, **value}
        elif name == "upgradePolicy":
            cluster.upgrade_policy = value
        else:
            cluster.deletion_protection = bool(value)
        return self._updated(cluster, name, value)

    def update_cluster_version(self) -> ActionResult:
        """UpdateClusterVersion: one minor version at a time, never back."""
        cluster, wanted = self._cluster(), self._get_param("version")
        old, new = (tuple(int(part) for part in text.split(".")) for text in (cluster.version, wanted))
        if new < old or new[1] - old[1] > 1:
            raise InvalidParameterException(
                message=f"Unsupported Kubernetes minor version update from {cluster.version} to {wanted}"
            )
        cluster.version = wanted
        return self._updated(cluster, "version", wanted)

    def update_nodegroup_version(self) -> ActionResult:
        """UpdateNodegroupVersion: version, release or launch template."""
        cluster = self._cluster()
        nodegroup = self.eks_backend.describe_nodegroup(cluster.name, self._get_param("nodegroupName"))
        template = self._get_param("launchTemplate")
        if template:
            nodegroup.launch_template = {**(nodegroup.launch_template or {}), **template}
        nodegroup.version = self._get_param("version") or nodegroup.version
        nodegroup.release_version = self._get_param("releaseVersion") or nodegroup.release_version
        return self._updated(cluster, "nodegroup", nodegroup.nodegroup_name)

    def create_nodegroup(self) -> ActionResult:
        """CreateNodegroup: with the update settings that moto drops."""
        result: Any = super().create_nodegroup().result
        result["nodegroup"].update_config = self._get_param("updateConfig") or {"maxUnavailable": 1}
        return ActionResult(result)

    def describe_update(self) -> ActionResult:
        """DescribeUpdate."""
        cluster, wanted = self._cluster(), self._get_param("updateId")
        if wanted not in cluster.updates:
            raise missing(f"No update found for ID: {wanted}")
        return ActionResult({"update": cluster.updates[wanted]})

    def create_addon(self) -> ActionResult:
        """CreateAddon."""
        cluster, name = self._cluster(), self._get_param("addonName")
        if name in cluster.addons:
            raise ResourceInUseException(
                clusterName=cluster.name, nodegroupName=None, addonName=name, message="Addon already exists."
            )
        if name not in VERSIONS and not self._get_param("addonVersion"):
            raise InvalidParameterException(message=f"Addon {name} specified is not supported")
        cluster.addons[name] = {
            "addonName": name,
            "clusterName": cluster.name,
            "status": "ACTIVE",
            "addonVersion": self._get_param("addonVersion") or VERSIONS[name],
            "health": {"issues": []},
            "addonArn": self._arn("addon", cluster.name, name),
            "createdAt": utcnow(),
            "modifiedAt": utcnow(),
            "serviceAccountRoleArn": self._get_param("serviceAccountRoleArn"),
            "tags": self._get_param("tags") or {},
            "configurationValues": self._get_param("configurationValues"),
        }
        return ActionResult({"addon": cluster.addons[name]})

    def describe_addon(self) -> ActionResult:
        """DescribeAddon."""
        return ActionResult({"addon": self._addon()})

    def list_addons(self) -> ActionResult:
        """ListAddons."""
        return ActionResult({"addons": sorted(self._cluster().addons)})

    def update_addon(self) -> ActionResult:
        """UpdateAddon."""
        addon = self._addon()
        for name in ("addonVersion", "serviceAccountRoleArn", "configurationValues"):
            if self._get_param(name) is not None:
                addon[name] = self._get_param(name)
        return self._updated(self._cluster(), "addonVersion", addon["addonVersion"])

    def delete_addon(self) -> ActionResult:
        """DeleteAddon."""
        addon = self._addon()
        del self._cluster().addons[addon["addonName"]]
        return ActionResult({"addon": addon})

    def create_access_entry(self) -> ActionResult:
        """CreateAccessEntry."""
        cluster, principal = self._cluster(), self._get_param("principalArn")
        if cluster.access_config["authenticationMode"] == "CONFIG_MAP":
            raise InvalidRequestException(
                message="The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] to perform this operation."
            )
        if principal in cluster.access_entries:
            raise ResourceInUseException(
                clusterName=None,
                nodegroupName=None,
                addonName=None,
                message="The specified access entry resource is already in use on this cluster.",
            )
        cluster.access_entries[principal] = {
            "clusterName": cluster.name,
            "principalArn": principal,
            "kubernetesGroups": self._get_param("kubernetesGroups") or [],
            "accessEntryArn": self._arn("access-entry", cluster.name, principal.split(":", 5)[-1]),
            "createdAt": utcnow(),
            "modifiedAt": utcnow(),
            "tags": self._get_param("tags") or {},
            "username": self._get_param("username") or principal,
            "type": self._get_param("type") or "STANDARD",
            "_policies": {},
        }
        return ActionResult({"accessEntry": cluster.access_entries[principal]})

    def describe_access_entry(self) -> ActionResult:
        """DescribeAccessEntry."""
        return ActionResult({"accessEntry": self._entry()})

    def list_access_entries(self) -> ActionResult:
        """ListAccessEntries."""
        return ActionResult({"accessEntries": sorted(self._cluster().access_entries)})

    def update_access_entry(self) -> ActionResult:
        """UpdateAccessEntry."""
        entry = self._entry()
        for name in ("kubernetesGroups", "username"):
            if self._get_param(name) is not None:
                entry[name] = self._get_param(name)
        return ActionResult({"accessEntry": entry})

    def delete_access_entry(self) -> ActionResult:
        """DeleteAccessEntry."""
        del self._cluster().access_entries[self._entry()["principalArn"]]
        return EmptyResult()

    def associate_access_policy(self) -> ActionResult:
        """AssociateAccessPolicy."""
        entry, policy = self._entry(), self._get_param("policyArn")
        if ":cluster-access-policy/" not in policy:
            raise InvalidParameterException(message=f"The policyArn parameter format is not valid: {policy}")
        found = {
            "policyArn": policy,
            "accessScope": self._get_param("accessScope"),
            "associatedAt": utcnow(),
            "modifiedAt": utcnow(),
        }
        entry["_policies"][policy] = found
        return ActionResult(
            {
                "clusterName": self._cluster().name,
                "principalArn": entry["principalArn"],
                "associatedAccessPolicy": found,
            }
        )

    def disassociate_access_policy(self) -> ActionResult:
        """DisassociateAccessPolicy."""
        if self._entry()["_policies"].pop(self._policy_arn(), None) is None:
            raise missing("The specified policyArn is not associated with the access entry.")
        return EmptyResult()

    def list_associated_access_policies(self) -> ActionResult:
        """ListAssociatedAccessPolicies."""
        entry = self._entry()
        return ActionResult(
            {
                "clusterName": self._cluster().name,
                "principalArn": entry["principalArn"],
                "associatedAccessPolicies": list(entry["_policies"].values()),
            }
        )

    def tag_resource(self) -> ActionResult:
        """TagResource, of everything that has tags."""
        self._tags(self._extract_arn_from_path()).update(self._get_param("tags"))
        return EmptyResult()

    def untag_resource(self) -> ActionResult:
        """UntagResource."""
        tags, keys = self._tags(self._extract_arn_from_path()), self._get_param("tagKeys")
        for key in [keys] if isinstance(keys, str) else keys:
            tags.pop(key, None)
        return EmptyResult()

    def list_tags_for_resource(self) -> ActionResult:
        """ListTagsForResource."""
        return ActionResult({"tags": self._tags(self._extract_arn_from_path())})

    def _cluster(self) -> Any:
        return self.eks_backend.describe_cluster(self._get_param("name") or self._get_param("clusterName"))

    def _addon(self) -> dict[str, Any]:
        addons, name = self._cluster().addons, self._get_param("addonName")
        if name not in addons:
            raise missing(f"No addon: {name} found in cluster: {self._cluster().name}")
        found: dict[str, Any] = addons[name]
        return found

    def _entry(self) -> dict[str, Any]:
        # Both are one path parameter to moto's routing, because an ARN may hold slashes.
        principal = unquote(self._get_param("principalArn")).split("/access-policies")[0]
        entries = self._cluster().access_entries
        if principal not in entries:
            raise missing(
                f"The specified principalArn could not be found. You must provide a valid IAM principal ARN: {principal}"
            )
        found: dict[str, Any] = entries[principal]
        return found

    def _policy_arn(self) -> str:
        return unquote(unquote(self.path).split("/access-policies/")[1])

    def _arn(self, kind: str, cluster: str, rest: str) -> str:
        return (
            f"arn:aws:eks:{self.region}:{self.current_account}:{kind}/{cluster}/{rest}/{mock_random.uuid4()}"
        )

    def _tags(self, arn: str) -> dict[str, str]:
        for cluster in self.eks_backend.clusters.values():
            if cluster.arn == arn:
                return cluster.tags
            for nodegroup in cluster.nodegroups.values():
                if nodegroup.arn == arn:
                    return nodegroup.tags
            for holder in [*cluster.addons.values(), *cluster.access_entries.values()]:  # type: ignore[attr-defined] # ours
                if arn in (holder.get("addonArn"), holder.get("accessEntryArn")):
                    return holder["tags"]  # type: ignore[no-any-return]
        raise missing(f"Resource {arn} was not found")

    def _updated(self, cluster: Any, name: str, value: Any) -> ActionResult:
        update = {
            "id": str(mock_random.uuid4()),
            "status": "Successful",
            "type": "ConfigUpdate",
            "params": [{"type": name, "value": str(value)}],
            "createdAt": utcnow(),
            "errors": [],
        }
        cluster.updates[update["id"]] = update
        return ActionResult({"update": update})


def install() -> None:
    """Put this into moto, before its server reads which paths EKS has."""
    if "Response" not in vars(models):
        response = Response()
        for path in urls.url_paths:
            urls.url_paths[path] = response.dispatch
        urls.url_paths.update({f"{{0}}{path}": response.dispatch for path in PATHS})
        vars(models)["Response"] = Response
