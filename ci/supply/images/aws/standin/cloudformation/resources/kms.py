"""KMS: keys and aliases."""

# ruff: noqa: D102 - an adapter's methods are Adapter's, and described there

import json
from typing import Any

from botocore.exceptions import ClientError

from .adapter import Adapter, Call, document, present, retag, words


class Key(Adapter):
    """AWS::KMS::Key; deletion is scheduled, as in AWS."""

    type = "AWS::KMS::Key"
    properties = words(
        "Description EnableKeyRotation KeyPolicy PendingWindowInDays KeySpec KeyUsage Enabled Tags"
    )
    replaces = words("KeySpec KeyUsage")

    def create(self, call: Call) -> str:
        kms, wanted = call.client("kms"), call.properties
        policy = {"Policy": document(wanted["KeyPolicy"])} if "KeyPolicy" in wanted else {}
        tags = [{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in wanted.get("Tags", [])]
        answer = kms.create_key(**call.pick("Description", "KeySpec", "KeyUsage"), **policy, Tags=tags)
        physical = str(answer["KeyMetadata"]["KeyId"])
        call.started(physical)
        self._switches(call, physical)
        return physical

    def update(self, call: Call) -> None:
        kms, key = call.client("kms"), call.physical
        if call.changed("Description"):
            kms.update_key_description(KeyId=key, Description=call.properties.get("Description", ""))
        if call.changed("KeyPolicy"):
            kms.put_key_policy(KeyId=key, PolicyName="default", Policy=document(call.properties["KeyPolicy"]))
        self._switches(call, key)
        retag(
            call,
            lambda tags: kms.tag_resource(
                KeyId=key, Tags=[{"TagKey": name, "TagValue": value} for name, value in tags.items()]
            ),
            lambda keys: kms.untag_resource(KeyId=key, TagKeys=keys),
        )

    def delete(self, call: Call) -> None:
        days = call.properties.get("PendingWindowInDays", 30)
        call.client("kms").schedule_key_deletion(KeyId=call.physical, PendingWindowInDays=days)

    def read(self, call: Call) -> dict[str, Any] | None:
        kms, key = call.client("kms"), call.physical
        try:
            found = kms.describe_key(KeyId=key)["KeyMetadata"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "NotFoundException":
                return None
            raise
        if found["KeyState"] == "PendingDeletion":
            return None
        tags = kms.list_resource_tags(KeyId=key)["Tags"]
        return {
            "KeyId": key,
            "Arn": found["Arn"],
            "Description": found["Description"],
            "Enabled": found["Enabled"],
            "KeySpec": found.get("KeySpec", "SYMMETRIC_DEFAULT"),
            "KeyUsage": found.get("KeyUsage", "ENCRYPT_DECRYPT"),
            "KeyPolicy": json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]),
            "EnableKeyRotation": kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"],
            "Tags": [{"Key": tag["TagKey"], "Value": tag["TagValue"]} for tag in tags],
        }

    def _switches(self, call: Call, key: str) -> None:
        kms = call.client("kms")
        rotate, rotated = (
            values.get("EnableKeyRotation", False) for values in (call.properties, call.previous)
        )
        if rotate != rotated:
            (kms.enable_key_rotation if rotate else kms.disable_key_rotation)(KeyId=key)
        enable, enabled = (values.get("Enabled", True) for values in (call.properties, call.previous))
        if enable != enabled:
            (kms.enable_key if enable else kms.disable_key)(KeyId=key)


class Alias(Adapter):
    """AWS::KMS::Alias."""

    type = "AWS::KMS::Alias"
    properties = words("AliasName TargetKeyId")

    def create(self, call: Call) -> str:
        call.client("kms").create_alias(**call.pick("AliasName", "TargetKeyId"))
        return str(call.properties["AliasName"])

    def update(self, call: Call) -> None:
        call.client("kms").update_alias(**call.pick("AliasName", "TargetKeyId"))

    def delete(self, call: Call) -> None:
        call.client("kms").delete_alias(AliasName=call.physical)

    def read(self, call: Call) -> dict[str, Any] | None:
        pages = call.client("kms").get_paginator("list_aliases").paginate()
        found = next(
            (item for page in pages for item in page["Aliases"] if item["AliasName"] == call.physical), None
        )
        if found is None:
            return None
        wanted, key = str(call.properties["TargetKeyId"]), found.get("TargetKeyId", "")
        # A template may name the key by id or by ARN.
        return present({"AliasName": call.physical, "TargetKeyId": wanted if wanted.endswith(key) else key})


ADAPTERS: tuple[Adapter, ...] = (Key(), Alias())
