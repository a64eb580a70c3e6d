"""EKS: cluster, node group, add-on, access entry."""

# ruff: noqa: D102 - an adapter's methods are Adapter's, and described there

from typing import Any

from botocore.exceptions import ClientError

from standin.cloudformation.fault import Failure

from .adapter import Adapter, Call, camel, pairs, pascal, present, retag, words

FREE = frozenset({"labels", "tags", "Labels", "Tags"})


def _found(ask: Any, key: str, **names: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = ask(**names)[key]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return None
        raise
    return found


def _retag(call: Call, arn: str) -> None:
    eks = call.client("eks")
    retag(
        call,
        lambda tags: eks.tag_resource(resourceArn=arn, tags=tags),
        lambda keys: eks.untag_resource(resourceArn=arn, tagKeys=keys),
    )


class Cluster(Adapter):
    """AWS::EKS::Cluster; its issuer is made of account, region and name."""

    type = "AWS::EKS::Cluster"
    properties = words(
        "Name Version RoleArn ResourcesVpcConfig AccessConfig BootstrapSelfManagedAddons DeletionProtection "
        "EncryptionConfig Logging UpgradePolicy KubernetesNetworkConfig Tags"
    )

    def create(self, call: Call) -> str:
        wanted = call.properties
        name = wanted.get("Name") or call.name(100)
        call.client("eks").create_cluster(
            name=name,
            roleArn=wanted["RoleArn"],
            resourcesVpcConfig=camel(wanted["ResourcesVpcConfig"]),
            tags=pairs(wanted.get("Tags")),
            logging=_logging(wanted.get("Logging")),
            **camel(call.pick("Version", "AccessConfig", "BootstrapSelfManagedAddons", "DeletionProtection", "EncryptionConfig", "UpgradePolicy", "KubernetesNetworkConfig")),
        )  # fmt: skip
        return str(name)

    def update(self, call: Call) -> None:
        eks, name = call.client("eks"), call.physical
        if call.changed("Version"):
            eks.update_cluster_version(name=name, version=call.properties["Version"])
        for field in ("ResourcesVpcConfig", "AccessConfig", "UpgradePolicy", "DeletionProtection"):
            if call.changed(field):
                if field not in call.properties:
                    raise Failure(f"{field} of a cluster cannot be taken away again")
                value = camel(call.properties[field])
                if field == "AccessConfig":
                    value = {"authenticationMode": value["authenticationMode"]}
                eks.update_cluster_config(name=name, **{field[0].lower() + field[1:]: value})
        if call.changed("Logging"):
            eks.update_cluster_config(name=name, logging=_logging(call.properties.get("Logging")))
        _retag(call, self._cluster(call)["arn"])

    def delete(self, call: Call) -> None:
        call.client("eks").delete_cluster(name=call.physical)

    def read(self, call: Call) -> dict[str, Any] | None:
        cluster = _found(call.client("eks").describe_cluster, "cluster", name=call.physical)
        if cluster is None:
            return None
        vpc = cluster["resourcesVpcConfig"]
        kept = {key: value for key, value in vpc.items() if key not in ("vpcId", "clusterSecurityGroupId")}
        keys = [entry["provider"]["keyArn"] for entry in cluster.get("encryptionConfig", [])]
        types = [entry for entry in cluster["logging"]["clusterLogging"] if entry["enabled"]]
        enabled = [{"Type": name} for entry in types for name in entry["types"]]
        return present(
            pascal({key: cluster[key] for key in ("name", "version", "roleArn", "accessConfig", "upgradePolicy", "arn", "endpoint", "kubernetesNetworkConfig") if key in cluster})
            | {
                "ResourcesVpcConfig": pascal(kept),
                "DeletionProtection": cluster["deletionProtection"],
                "EncryptionConfig": pascal(cluster.get("encryptionConfig", [])),
                "EncryptionConfigKeyArn": keys[0] if keys else None,
                "Logging": {"ClusterLogging": {"EnabledTypes": enabled}},
                "Tags": [{"Key": key, "Value": value} for key, value in cluster["tags"].items()],
                "CertificateAuthorityData": cluster["certificateAuthority"]["data"],
                "OpenIdConnectIssuerUrl": cluster["identity"]["oidc"]["issuer"],
                "ClusterSecurityGroupId": vpc["clusterSecurityGroupId"],
            }
        )  # fmt: skip

    def _cluster(self, call: Call) -> dict[str, Any]:
        cluster: dict[str, Any] = call.client("eks").describe_cluster(name=call.physical)["cluster"]
        return cluster


def _logging(wanted: Any) -> dict[str, Any]:
    """Say which logs are on and which off, as the API wants it."""
    known = ["api", "audit", "authenticator", "controllerManager", "scheduler"]
    enabled = [
        entry["Type"] for entry in ((wanted or {}).get("ClusterLogging") or {}).get("EnabledTypes", [])
    ]
    groups = ((enabled, True), ([name for name in known if name not in enabled], False))
    return {"clusterLogging": [{"types": names, "enabled": on} for names, on in groups if names]}


class Nodegroup(Adapter):
    """AWS::EKS::Nodegroup."""

    type = "AWS::EKS::Nodegroup"
    properties = words(
        "ClusterName NodegroupName NodeRole Subnets AmiType CapacityType InstanceTypes ScalingConfig UpdateConfig "
        "LaunchTemplate Version ReleaseVersion Labels Taints DiskSize Tags"
    )

    def create(self, call: Call) -> str:
        wanted = dict(call.properties)
        name = wanted.pop("NodegroupName", None) or call.name(63)
        call.client("eks").create_nodegroup(**camel(wanted, FREE), nodegroupName=name)
        return f"{wanted['ClusterName']}/{name}"

    def update(self, call: Call) -> None:
        eks, where = call.client("eks"), self._where(call)
        if call.changed("LaunchTemplate", "Version", "ReleaseVersion"):
            eks.update_nodegroup_version(
                **where, **camel(call.pick("LaunchTemplate", "Version", "ReleaseVersion"))
            )
        config: dict[str, Any] = camel(call.pick("ScalingConfig", "UpdateConfig"))
        if call.changed("Labels"):
            old, new = call.previous.get("Labels", {}), call.properties.get("Labels", {})
            config["labels"] = {
                "addOrUpdateLabels": new,
                "removeLabels": [key for key in old if key not in new],
            }
        if call.changed("Taints"):
            old, new = camel(call.previous.get("Taints", [])), camel(call.properties.get("Taints", []))
            config["taints"] = {
                "addOrUpdateTaints": new,
                "removeTaints": [item for item in old if item not in new],
            }
        if call.changed("ScalingConfig", "UpdateConfig", "Labels", "Taints"):
            eks.update_nodegroup_config(**where, **config)
        _retag(call, eks.describe_nodegroup(**where)["nodegroup"]["nodegroupArn"])

    def delete(self, call: Call) -> None:
        call.client("eks").delete_nodegroup(**self._where(call))

    def read(self, call: Call) -> dict[str, Any] | None:
        found = _found(call.client("eks").describe_nodegroup, "nodegroup", **self._where(call))
        if found is None:
            return None
        live: dict[str, Any] = pascal(
            {key: value for key, value in found.items() if key not in ("createdAt", "modifiedAt")}, FREE
        )
        if "LaunchTemplate" in live:  # EKS tells id and name, the template gave one of them
            asked = call.properties.get("LaunchTemplate", {})
            live["LaunchTemplate"] = {
                key: value for key, value in live["LaunchTemplate"].items() if key in asked
            }
        return live | {"Arn": found["nodegroupArn"], "Id": call.physical}

    def _where(self, call: Call) -> dict[str, str]:
        cluster, _, name = call.physical.partition("/")
        return {"clusterName": cluster, "nodegroupName": name}


class Addon(Adapter):
    """AWS::EKS::Addon."""

    type = "AWS::EKS::Addon"
    properties = words(
        "ClusterName AddonName AddonVersion ResolveConflicts ServiceAccountRoleArn ConfigurationValues PreserveOnDelete Tags"
    )

    def create(self, call: Call) -> str:
        wanted = call.pick(
            "ClusterName",
            "AddonName",
            "AddonVersion",
            "ResolveConflicts",
            "ServiceAccountRoleArn",
            "ConfigurationValues",
        )
        call.client("eks").create_addon(**camel(wanted), tags=pairs(call.properties.get("Tags")))
        return f"{wanted['AddonName']}|{wanted['ClusterName']}"

    def update(self, call: Call) -> None:
        eks, where = call.client("eks"), self._where(call)
        eks.update_addon(
            **where,
            **camel(
                call.pick("AddonVersion", "ResolveConflicts", "ServiceAccountRoleArn", "ConfigurationValues")
            ),
        )
        _retag(call, eks.describe_addon(**where)["addon"]["addonArn"])

    def delete(self, call: Call) -> None:
        call.client("eks").delete_addon(**self._where(call))

    def read(self, call: Call) -> dict[str, Any] | None:
        found = _found(call.client("eks").describe_addon, "addon", **self._where(call))
        if found is None:
            return None
        kept = ("clusterName", "addonName", "addonVersion", "serviceAccountRoleArn", "configurationValues")
        tags = [{"Key": key, "Value": value} for key, value in found["tags"].items()]
        live: dict[str, Any] = pascal({key: found[key] for key in kept if key in found})
        return live | {
            "Arn": found["addonArn"],
            "Tags": tags,
        }

    def _where(self, call: Call) -> dict[str, str]:
        name, _, cluster = call.physical.partition("|")
        return {"clusterName": cluster, "addonName": name}


class AccessEntry(Adapter):
    """AWS::EKS::AccessEntry, with the access policies associated with it."""

    type = "AWS::EKS::AccessEntry"
    properties = words("ClusterName PrincipalArn AccessPolicies Type KubernetesGroups Username Tags")

    def create(self, call: Call) -> str:
        wanted = call.pick("ClusterName", "PrincipalArn", "Type", "KubernetesGroups", "Username")
        call.client("eks").create_access_entry(**camel(wanted), tags=pairs(call.properties.get("Tags")))
        physical = f"{wanted['PrincipalArn']}|{wanted['ClusterName']}"
        call.started(physical)
        self._associate(call, physical, call.properties.get("AccessPolicies", []))
        return physical

    def update(self, call: Call) -> None:
        eks, where = call.client("eks"), self._where(call.physical)
        if call.changed("KubernetesGroups", "Username"):
            eks.update_access_entry(
                **where,
                kubernetesGroups=call.properties.get("KubernetesGroups", []),
                **camel(call.pick("Username")),
            )
        if call.changed("AccessPolicies"):
            old, new = call.previous.get("AccessPolicies", []), call.properties.get("AccessPolicies", [])
            for policy in old:
                if policy not in new:
                    eks.disassociate_access_policy(**where, policyArn=policy["PolicyArn"])
            self._associate(call, call.physical, [policy for policy in new if policy not in old])
        _retag(call, eks.describe_access_entry(**where)["accessEntry"]["accessEntryArn"])

    def delete(self, call: Call) -> None:
        call.client("eks").delete_access_entry(**self._where(call.physical))

    def read(self, call: Call) -> dict[str, Any] | None:
        eks, where = call.client("eks"), self._where(call.physical)
        found = _found(eks.describe_access_entry, "accessEntry", **where)
        if found is None:
            return None
        policies = eks.list_associated_access_policies(**where)["associatedAccessPolicies"]
        kept = ("clusterName", "principalArn", "kubernetesGroups", "username", "type", "accessEntryArn")
        live: dict[str, Any] = pascal({key: found[key] for key in kept})
        return live | {
            "AccessPolicies": [
                {"PolicyArn": policy["policyArn"], "AccessScope": pascal(policy["accessScope"])}
                for policy in policies
            ],
            "Tags": [{"Key": key, "Value": value} for key, value in found["tags"].items()],
        }

    def _associate(self, call: Call, physical: str, policies: list[dict[str, Any]]) -> None:
        for policy in policies:
            call.client("eks").associate_access_policy(**self._where(physical), **camel(policy))

    def _where(self, physical: str) -> dict[str, str]:
        principal, _, cluster = physical.partition("|")
        return {"clusterName": cluster, "principalArn": principal}


ADAPTERS: tuple[Adapter, ...] = (Cluster(), Nodegroup(), Addon(), AccessEntry())
