"""Route 53: hosted zones and records."""

# ruff: noqa: D102 - an adapter's methods are Adapter's, and described there

from typing import Any

from botocore.exceptions import ClientError

from standin.cloudformation.fault import Failure

from .adapter import Adapter, Call, entries, present, retag, words


class HostedZone(Adapter):
    """AWS::Route53::HostedZone; Ref is its bare id."""

    type = "AWS::Route53::HostedZone"
    properties = words("Name HostedZoneConfig HostedZoneTags")

    def create(self, call: Call) -> str:
        route53, wanted = call.client("route53"), call.properties
        comment = wanted.get("HostedZoneConfig", {}).get("Comment", "")
        answer = route53.create_hosted_zone(
            Name=wanted["Name"],
            CallerReference=call.name(128),
            HostedZoneConfig={"Comment": comment, "PrivateZone": False},
        )
        physical = str(answer["HostedZone"]["Id"].removeprefix("/hostedzone/"))
        call.started(physical)
        self._tags(call, physical)
        return physical

    def update(self, call: Call) -> None:
        if call.changed("HostedZoneConfig"):
            comment = call.properties.get("HostedZoneConfig", {}).get("Comment", "")
            call.client("route53").update_hosted_zone_comment(Id=call.physical, Comment=comment)
        self._tags(call, call.physical)

    def delete(self, call: Call) -> None:
        call.client("route53").delete_hosted_zone(Id=call.physical)

    def read(self, call: Call) -> dict[str, Any] | None:
        route53 = call.client("route53")
        try:
            found = route53.get_hosted_zone(Id=call.physical)
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchHostedZone":
                return None
            raise
        tags = route53.list_tags_for_resource(ResourceType="hostedzone", ResourceId=call.physical)
        zone = found["HostedZone"]
        wanted = str(call.properties["Name"])
        return {
            "Id": call.physical,
            "Name": zone["Name"] if wanted.endswith(".") else zone["Name"].removesuffix("."),
            "HostedZoneConfig": present({"Comment": zone.get("Config", {}).get("Comment")}),
            "NameServers": found["DelegationSet"]["NameServers"],
            "HostedZoneTags": entries(tags["ResourceTagSet"]["Tags"]),
        }

    def _tags(self, call: Call, physical: str) -> None:
        route53 = call.client("route53")
        where = {"ResourceType": "hostedzone", "ResourceId": physical}
        retag(
            call,
            lambda tags: route53.change_tags_for_resource(**where, AddTags=entries(tags)),
            lambda keys: route53.change_tags_for_resource(**where, RemoveTagKeys=keys),
            "HostedZoneTags",
        )


class RecordSet(Adapter):
    """AWS::Route53::RecordSet with plain records or an alias."""

    type = "AWS::Route53::RecordSet"
    properties = words("HostedZoneId Name Type TTL ResourceRecords AliasTarget")

    def create(self, call: Call) -> str:
        if self.read(call) is not None:
            raise Failure(
                f"[Tried to create resource record set [name='{call.properties['Name']}', type='{call.properties['Type']}'] but it already exists]"
            )
        self._change(call, [("CREATE", call.properties)])
        return str(call.properties["Name"])

    def update(self, call: Call) -> None:
        if call.changed("Name", "Type"):
            self._change(call, [("CREATE", call.properties), ("DELETE", call.previous)])
        else:
            self._change(call, [("UPSERT", call.properties)])

    def delete(self, call: Call) -> None:
        self._change(call, [("DELETE", call.properties)])

    def read(self, call: Call) -> dict[str, Any] | None:
        wanted = call.properties
        name, kind = str(wanted["Name"]), wanted["Type"]
        try:
            found = call.client("route53").list_resource_record_sets(
                HostedZoneId=wanted["HostedZoneId"], StartRecordName=name, StartRecordType=kind, MaxItems="1"
            )["ResourceRecordSets"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchHostedZone":
                return None
            raise
        for record in found:
            if record["Name"].rstrip(".") == name.rstrip(".") and record["Type"] == kind:
                return present(
                    {
                        "HostedZoneId": wanted["HostedZoneId"],
                        "Name": name,
                        "Type": kind,
                        "TTL": str(record["TTL"]) if "TTL" in record else None,
                        "ResourceRecords": [item["Value"] for item in record.get("ResourceRecords", [])],
                        "AliasTarget": record.get("AliasTarget"),
                    }
                )
        return None

    def _change(self, call: Call, changes: list[tuple[str, Any]]) -> None:
        batch = {
            "Changes": [
                {"Action": action, "ResourceRecordSet": _record(values)} for action, values in changes
            ]
        }
        call.client("route53").change_resource_record_sets(
            HostedZoneId=call.properties["HostedZoneId"], ChangeBatch=batch
        )


def _record(values: Any) -> dict[str, Any]:
    alias = values.get("AliasTarget")
    return present(
        {
            "Name": values["Name"],
            "Type": values["Type"],
            "TTL": int(values["TTL"]) if "TTL" in values else None,
            "ResourceRecords": [{"Value": value} for value in values.get("ResourceRecords", [])],
            "AliasTarget": alias and {"EvaluateTargetHealth": False} | alias,
        }
    )


ADAPTERS: tuple[Adapter, ...] = (HostedZone(), RecordSet())
