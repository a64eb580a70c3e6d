"""RDS: instances, subnet groups, parameter groups."""

# ruff: noqa: D102 - an adapter's methods are Adapter's, and described there

from typing import Any

from botocore.exceptions import ClientError

from standin.cloudformation.fault import Failure

from .adapter import Adapter, Call, entries, present, retag, words

SETTINGS = (
    "AllocatedStorage AllowMajorVersionUpgrade AutoMinorVersionUpgrade BackupRetentionPeriod CACertificateIdentifier "
    "CopyTagsToSnapshot DBInstanceClass DBParameterGroupName DeletionProtection EnableIAMDatabaseAuthentication "
    "EngineVersion MaxAllocatedStorage MultiAZ PreferredBackupWindow PreferredMaintenanceWindow PubliclyAccessible StorageType"
).split()
"""Properties that the API knows by the same name, both when it makes and when it changes an instance."""

AT_FIRST = (
    "AvailabilityZone DBName DBSubnetGroupName Engine KmsKeyId MasterUsername Port StorageEncrypted".split()
)
NUMBERS = frozenset({"AllocatedStorage", "Port", "MaxAllocatedStorage", "BackupRetentionPeriod"})


def _found(ask: Any, key: str, **names: str) -> dict[str, Any] | None:
    try:
        found = ask(**names)[key]
    except ClientError as error:
        if "NotFound" in error.response["Error"]["Code"]:
            return None
        raise
    return found[0] if found else None


def _retag(call: Call, arn: str) -> None:
    rds = call.client("rds")
    retag(
        call,
        lambda tags: rds.add_tags_to_resource(ResourceName=arn, Tags=entries(tags)),
        lambda keys: rds.remove_tags_from_resource(ResourceName=arn, TagKeys=keys),
    )


def _tags(call: Call, arn: str) -> list[dict[str, str]]:
    return entries(call.client("rds").list_tags_for_resource(ResourceName=arn)["TagList"])


class DBInstance(Adapter):
    """AWS::RDS::DBInstance."""

    type = "AWS::RDS::DBInstance"
    properties = words(" ".join([*SETTINGS, *AT_FIRST])) | words(
        "DBInstanceIdentifier MasterUserPassword VPCSecurityGroups EnableCloudwatchLogsExports Tags"
    )
    replaces = words("AvailabilityZone Engine")
    unread = words("AllowMajorVersionUpgrade")

    def create(self, call: Call) -> str:
        wanted = call.properties
        name = wanted.get("DBInstanceIdentifier") or call.name(63, lower=True)
        call.client("rds").create_db_instance(
            DBInstanceIdentifier=name,
            Tags=entries(wanted.get("Tags")),
            **self._pick(
                call,
                *(set(SETTINGS) - {"AllowMajorVersionUpgrade"}),
                *AT_FIRST,
                "MasterUserPassword",
                "EnableCloudwatchLogsExports",
            ),
            **present({"VpcSecurityGroupIds": wanted.get("VPCSecurityGroups")}),
        )
        return str(name)

    def update(self, call: Call) -> None:
        self._check(call)
        rds, wanted = call.client("rds"), call.properties
        names = [name for name in [*SETTINGS, "MasterUserPassword"] if name in wanted and call.changed(name)]
        arguments = self._pick(call, *names)
        if call.changed("VPCSecurityGroups"):
            arguments["VpcSecurityGroupIds"] = wanted["VPCSecurityGroups"]
        if call.changed("Port"):
            arguments["DBPortNumber"] = int(wanted["Port"])
        if call.changed("EnableCloudwatchLogsExports"):
            old, new = (
                call.previous.get("EnableCloudwatchLogsExports", []),
                wanted.get("EnableCloudwatchLogsExports", []),
            )
            arguments["CloudwatchLogsExportConfiguration"] = present(
                {
                    "EnableLogTypes": [item for item in new if item not in old],
                    "DisableLogTypes": [item for item in old if item not in new],
                }
            )
        if arguments:
            rds.modify_db_instance(DBInstanceIdentifier=call.physical, ApplyImmediately=True, **arguments)
        _retag(call, self._arn(call))

    def delete(self, call: Call) -> None:
        call.client("rds").delete_db_instance(DBInstanceIdentifier=call.physical, SkipFinalSnapshot=True)

    def snapshot(self, call: Call) -> None:
        """Delete with a last snapshot."""
        name = call.name(255, lower=True)
        call.client("rds").delete_db_instance(
            DBInstanceIdentifier=call.physical, FinalDBSnapshotIdentifier=name
        )

    def read(self, call: Call) -> dict[str, Any] | None:
        found = _found(
            call.client("rds").describe_db_instances, "DBInstances", DBInstanceIdentifier=call.physical
        )
        if found is None:
            return None
        endpoint = found["Endpoint"]
        live = {name: found.get(name) for name in (*SETTINGS, *AT_FIRST)}
        return present(
            live
            | {
                "DBInstanceIdentifier": call.physical,
                "DBInstanceArn": found["DBInstanceArn"],
                "DbiResourceId": found["DbiResourceId"],
                "Endpoint": {"Address": endpoint["Address"], "Port": str(endpoint["Port"]), "HostedZoneId": endpoint.get("HostedZoneId")},
                "Port": str(endpoint["Port"]),
                "EnableIAMDatabaseAuthentication": found["IAMDatabaseAuthenticationEnabled"],
                "DBSubnetGroupName": found.get("DBSubnetGroup", {}).get("DBSubnetGroupName"),
                "DBParameterGroupName": found["DBParameterGroups"][0]["DBParameterGroupName"] if found.get("DBParameterGroups") else None,
            }
        ) | {
            "VPCSecurityGroups": [group["VpcSecurityGroupId"] for group in found["VpcSecurityGroups"]],
            "EnableCloudwatchLogsExports": found.get("EnabledCloudwatchLogsExports", []),
            "Tags": _tags(call, found["DBInstanceArn"]),
        }  # fmt: skip

    def _arn(self, call: Call) -> str:
        return f"arn:aws:rds:{call.region}:{call.account}:db:{call.physical}"

    def _pick(self, call: Call, *names: str) -> dict[str, Any]:
        return {name: int(value) if name in NUMBERS else value for name, value in call.pick(*names).items()}

    def _check(self, call: Call) -> None:
        """Refuse what RDS refuses and moto does not."""
        live = self.read(call) or {}
        old, new = (int(values.get("AllocatedStorage", 0)) for values in (live, call.properties))
        if new < old:
            raise Failure(
                f"Invalid storage size: {new} GiB is less than the {old} GiB allocated. (Error Code: InvalidParameterCombination)"
            )
        before, after = (
            str(values.get("EngineVersion", "")).split(".")[0] for values in (live, call.properties)
        )
        if before.isdecimal() and after.isdecimal() and before != after:
            if int(after) < int(before):
                raise Failure(
                    f"Cannot downgrade from {before} to {after}. (Error Code: InvalidParameterCombination)"
                )
            if not call.properties.get("AllowMajorVersionUpgrade"):
                raise Failure(
                    "The AllowMajorVersionUpgrade flag must be present when upgrading to a new major version. (Error Code: InvalidParameterCombination)"
                )


class DBSubnetGroup(Adapter):
    """AWS::RDS::DBSubnetGroup."""

    type = "AWS::RDS::DBSubnetGroup"
    properties = words("DBSubnetGroupName DBSubnetGroupDescription SubnetIds Tags")

    def create(self, call: Call) -> str:
        self._check(call)
        name = call.properties.get("DBSubnetGroupName") or call.name(255, lower=True)
        wanted = call.pick("DBSubnetGroupDescription", "SubnetIds")
        call.client("rds").create_db_subnet_group(
            DBSubnetGroupName=name, Tags=entries(call.properties.get("Tags")), **wanted
        )
        return str(name)

    def update(self, call: Call) -> None:
        self._check(call)
        wanted = call.pick("DBSubnetGroupDescription", "SubnetIds")
        if call.changed(*wanted):
            call.client("rds").modify_db_subnet_group(DBSubnetGroupName=call.physical, **wanted)
        _retag(call, self._arn(call))

    def delete(self, call: Call) -> None:
        rds = call.client("rds")
        users = [
            item["DBInstanceIdentifier"]
            for item in rds.describe_db_instances()["DBInstances"]
            if item.get("DBSubnetGroup", {}).get("DBSubnetGroupName") == call.physical
        ]
        if users:
            raise Failure(
                f"Cannot delete the subnet group '{call.physical}' because at least one database instance: {users[0]} is still using it. (Error Code: InvalidDBSubnetGroupStateFault)"
            )
        rds.delete_db_subnet_group(DBSubnetGroupName=call.physical)

    def read(self, call: Call) -> dict[str, Any] | None:
        found = _found(
            call.client("rds").describe_db_subnet_groups, "DBSubnetGroups", DBSubnetGroupName=call.physical
        )
        return found and {
            "DBSubnetGroupName": call.physical,
            "DBSubnetGroupArn": self._arn(call),
            "DBSubnetGroupDescription": found["DBSubnetGroupDescription"],
            "SubnetIds": [subnet["SubnetIdentifier"] for subnet in found["Subnets"]],
            "Tags": _tags(call, self._arn(call)),
        }

    def _arn(self, call: Call) -> str:
        return f"arn:aws:rds:{call.region}:{call.account}:subgrp:{call.physical}"

    def _check(self, call: Call) -> None:
        subnets = call.client("ec2").describe_subnets(SubnetIds=call.properties["SubnetIds"])["Subnets"]
        zones = {subnet["AvailabilityZone"] for subnet in subnets}
        if len(zones) < 2:
            raise Failure(
                "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. Current AZ coverage: "
                f"{', '.join(sorted(zones))}. Add subnets to cover at least 2 AZs. (Error Code: DBSubnetGroupDoesNotCoverEnoughAZs)"
            )


class DBParameterGroup(Adapter):
    """AWS::RDS::DBParameterGroup."""

    type = "AWS::RDS::DBParameterGroup"
    properties = words("DBParameterGroupName Description Family Parameters Tags")

    def create(self, call: Call) -> str:
        rds, wanted = call.client("rds"), call.properties
        name = wanted.get("DBParameterGroupName") or call.name(255, lower=True)
        rds.create_db_parameter_group(
            DBParameterGroupName=name,
            DBParameterGroupFamily=wanted["Family"],
            Description=wanted["Description"],
            Tags=entries(wanted.get("Tags")),
        )
        call.started(name)
        self._parameters(call, name)
        return str(name)

    def update(self, call: Call) -> None:
        if call.changed("Parameters"):
            gone = call.previous.get("Parameters", {}).keys() - call.properties.get("Parameters", {}).keys()
            if gone:
                raise Failure(
                    f"Parameters of {call.physical} cannot be reset by Slipway's stand-in: {', '.join(sorted(gone))}"
                )
            self._parameters(call, call.physical)
        _retag(call, self._arn(call))

    def delete(self, call: Call) -> None:
        call.client("rds").delete_db_parameter_group(DBParameterGroupName=call.physical)

    def read(self, call: Call) -> dict[str, Any] | None:
        rds = call.client("rds")
        found = _found(
            rds.describe_db_parameter_groups, "DBParameterGroups", DBParameterGroupName=call.physical
        )
        if found is None:
            return None
        values = rds.describe_db_parameters(DBParameterGroupName=call.physical)["Parameters"]
        return {
            "DBParameterGroupName": call.physical,
            "DBParameterGroupArn": self._arn(call),
            "Description": found["Description"],
            "Family": found["DBParameterGroupFamily"],
            "Parameters": {
                item["ParameterName"]: item["ParameterValue"] for item in values if "ParameterValue" in item
            },
            "Tags": _tags(call, self._arn(call)),
        }

    def _arn(self, call: Call) -> str:
        return f"arn:aws:rds:{call.region}:{call.account}:pg:{call.physical}"

    def _parameters(self, call: Call, name: str) -> None:
        wanted = [
            {"ParameterName": key, "ParameterValue": str(value), "ApplyMethod": "pending-reboot"}
            for key, value in call.properties.get("Parameters", {}).items()
        ]
        for start in range(0, len(wanted), 20):  # no more fit into one call
            call.client("rds").modify_db_parameter_group(
                DBParameterGroupName=name, Parameters=wanted[start : start + 20]
            )


ADAPTERS: tuple[Adapter, ...] = (DBInstance(), DBSubnetGroup(), DBParameterGroup())
