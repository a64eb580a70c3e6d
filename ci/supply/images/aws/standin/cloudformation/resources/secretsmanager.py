"""Secrets Manager: secrets, and what ties a secret to its database."""

# ruff: noqa: D102 - an adapter's methods are Adapter's, and described there

import json
from typing import Any

from botocore.exceptions import ClientError

from standin.cloudformation.fault import Failure

from .adapter import Adapter, Call, entries, present, retag, words

CONNECTION = ("engine", "host", "port", "dbname", "dbInstanceIdentifier")
"""What an attachment writes beside username and password."""


def _described(call: Call, secret: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = call.client("secretsmanager").describe_secret(SecretId=secret)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return None
        raise
    return None if found.get("DeletedDate") else found


class Secret(Adapter):
    """AWS::SecretsManager::Secret; Ref is its ARN."""

    type = "AWS::SecretsManager::Secret"
    properties = words("Name Description KmsKeyId SecretString GenerateSecretString Tags")

    def create(self, call: Call) -> str:
        wanted = call.properties
        answer = call.client("secretsmanager").create_secret(
            Name=wanted.get("Name") or call.name(64),
            **present({"Tags": entries(wanted.get("Tags")), "SecretString": self._value(call)}),
            **call.pick("Description", "KmsKeyId"),
        )
        return str(answer["ARN"])

    def update(self, call: Call) -> None:
        manager, arn = call.client("secretsmanager"), call.physical
        if call.changed("SecretString", "GenerateSecretString"):
            value = self._value(call)
            if value is not None:
                manager.put_secret_value(SecretId=arn, SecretString=value)
        if call.changed("Description", "KmsKeyId"):
            manager.update_secret(
                SecretId=arn, Description=call.properties.get("Description", ""), **call.pick("KmsKeyId")
            )
        retag(
            call,
            lambda tags: manager.tag_resource(SecretId=arn, Tags=entries(tags)),
            lambda keys: manager.untag_resource(SecretId=arn, TagKeys=keys),
        )

    def delete(self, call: Call) -> None:
        call.client("secretsmanager").delete_secret(SecretId=call.physical, ForceDeleteWithoutRecovery=True)

    def read(self, call: Call) -> dict[str, Any] | None:
        found = _described(call, call.physical)
        return found and present(
            {
                "Id": call.physical,
                "Name": found["Name"],
                "Description": found.get("Description"),
                "KmsKeyId": found.get("KmsKeyId"),
            }
        ) | {"Tags": entries(found.get("Tags"))}

    def _value(self, call: Call) -> str | None:
        wanted = call.properties
        rule = wanted.get("GenerateSecretString")
        if rule is None:
            return wanted.get("SecretString")
        if "SecretString" in wanted:
            raise Failure("You can't specify both SecretString and GenerateSecretString")
        options = {
            name: value
            for name, value in rule.items()
            if name not in ("SecretStringTemplate", "GenerateStringKey")
        }
        made = call.client("secretsmanager").get_random_password(
            **{"RequireEachIncludedType": True, **options}
        )
        if "SecretStringTemplate" not in rule:
            return str(made["RandomPassword"])
        try:
            return json.dumps(
                {
                    **json.loads(rule["SecretStringTemplate"]),
                    rule["GenerateStringKey"]: made["RandomPassword"],
                }
            )
        except (ValueError, TypeError, KeyError):
            raise Failure(
                "Could not parse SecretStringTemplate JSON, or GenerateStringKey is missing"
            ) from None


class TargetAttachment(Adapter):
    """AWS::SecretsManager::SecretTargetAttachment to an RDS instance."""

    type = "AWS::SecretsManager::SecretTargetAttachment"
    properties = words("SecretId TargetId TargetType")

    def create(self, call: Call) -> str:
        self._write(call)
        return str(call.properties["SecretId"])

    def update(self, call: Call) -> None:
        self._write(call)

    def delete(self, call: Call) -> None:
        value = {key: item for key, item in self._value(call).items() if key not in CONNECTION}
        call.client("secretsmanager").put_secret_value(
            SecretId=call.properties["SecretId"], SecretString=json.dumps(value)
        )

    def read(self, call: Call) -> dict[str, Any] | None:
        if _described(call, call.properties["SecretId"]) is None:
            return None
        target = self._value(call).get("dbInstanceIdentifier")
        return target and {"Id": call.physical, **call.pick("SecretId", "TargetType"), "TargetId": target}

    def _write(self, call: Call) -> None:
        wanted = call.properties
        if wanted["TargetType"] != "AWS::RDS::DBInstance":
            raise Failure(f"Target type {wanted['TargetType']} is not supported by Slipway's stand-in")
        found = call.client("rds").describe_db_instances(DBInstanceIdentifier=wanted["TargetId"])[
            "DBInstances"
        ][0]
        value = self._value(call) | present(
            {
                "engine": found["Engine"],
                "host": found["Endpoint"]["Address"],
                "port": found["Endpoint"]["Port"],
                "dbname": found.get("DBName"),
                "dbInstanceIdentifier": found["DBInstanceIdentifier"],
            }
        )
        call.client("secretsmanager").put_secret_value(
            SecretId=wanted["SecretId"], SecretString=json.dumps(value)
        )

    def _value(self, call: Call) -> dict[str, Any]:
        text = call.client("secretsmanager").get_secret_value(SecretId=call.properties["SecretId"])[
            "SecretString"
        ]
        try:
            value = json.loads(text)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise Failure("The secret's value must be a JSON object to be attached to a database")
        return value


ADAPTERS: tuple[Adapter, ...] = (Secret(), TargetAttachment())
