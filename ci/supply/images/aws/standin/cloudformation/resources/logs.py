"""CloudWatch Logs: log groups."""

# ruff: noqa: D102 - an adapter's methods are Adapter's, and described there

from typing import Any

from .adapter import Adapter, Call, entries, pairs, present, retag, words


class LogGroup(Adapter):
    """AWS::Logs::LogGroup."""

    type = "AWS::Logs::LogGroup"
    properties = words("LogGroupName RetentionInDays KmsKeyId Tags")

    def create(self, call: Call) -> str:
        logs, wanted = call.client("logs"), call.properties
        name = wanted.get("LogGroupName") or call.name(512)
        key = present({"kmsKeyId": wanted.get("KmsKeyId")})
        logs.create_log_group(logGroupName=name, **key, **present({"tags": pairs(wanted.get("Tags"))}))
        call.started(name)
        self._retention(call, name)
        return str(name)

    def update(self, call: Call) -> None:
        logs = call.client("logs")
        self._retention(call, call.physical)
        if call.changed("KmsKeyId"):
            if "KmsKeyId" in call.properties:
                logs.associate_kms_key(logGroupName=call.physical, kmsKeyId=call.properties["KmsKeyId"])
            else:
                logs.disassociate_kms_key(logGroupName=call.physical)
        retag(
            call,
            lambda tags: logs.tag_log_group(logGroupName=call.physical, tags=tags),
            lambda keys: logs.untag_log_group(logGroupName=call.physical, tags=keys),
        )

    def delete(self, call: Call) -> None:
        call.client("logs").delete_log_group(logGroupName=call.physical)

    def read(self, call: Call) -> dict[str, Any] | None:
        logs = call.client("logs")
        groups = logs.describe_log_groups(logGroupNamePrefix=call.physical)["logGroups"]
        found = next((group for group in groups if group["logGroupName"] == call.physical), None)
        if found is None:
            return None
        tags = logs.list_tags_log_group(logGroupName=call.physical)["tags"]
        return present(
            {
                "LogGroupName": call.physical,
                "Arn": f"{found['arn'].removesuffix(':*')}:*",
                "RetentionInDays": found.get("retentionInDays"),
                "KmsKeyId": found.get("kmsKeyId"),
            }
        ) | {"Tags": entries(tags)}

    def _retention(self, call: Call, name: str) -> None:
        logs = call.client("logs")
        if "RetentionInDays" in call.properties:
            logs.put_retention_policy(logGroupName=name, retentionInDays=call.properties["RetentionInDays"])
        elif "RetentionInDays" in call.previous:
            logs.delete_retention_policy(logGroupName=name)


ADAPTERS: tuple[Adapter, ...] = (LogGroup(),)
