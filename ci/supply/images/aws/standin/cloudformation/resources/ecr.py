"""ECR: repositories."""

# ruff: noqa: D102 - an adapter's methods are Adapter's, and described there

import json
from typing import Any

from botocore.exceptions import ClientError

from .adapter import Adapter, Call, camel, document, entries, pascal, present, retag, words


class Repository(Adapter):
    """AWS::ECR::Repository."""

    type = "AWS::ECR::Repository"
    properties = words(
        "RepositoryName ImageTagMutability ImageTagMutabilityExclusionFilters ImageScanningConfiguration "
        "EncryptionConfiguration LifecyclePolicy RepositoryPolicyText EmptyOnDelete Tags"
    )

    def create(self, call: Call) -> str:
        ecr, wanted = call.client("ecr"), call.properties
        name = wanted.get("RepositoryName") or call.name(256, lower=True)
        ecr.create_repository(
            repositoryName=name,
            tags=entries(wanted.get("Tags")),
            **_mutability(wanted),
            **_scanning(wanted),
            **camel(call.pick("EncryptionConfiguration")),
        )
        call.started(name)
        self._policies(call, name)
        return str(name)

    def update(self, call: Call) -> None:
        ecr, name = call.client("ecr"), call.physical
        if call.changed("ImageTagMutability", "ImageTagMutabilityExclusionFilters"):
            setting = {"imageTagMutability": "MUTABLE"} | _mutability(call.properties)
            ecr.put_image_tag_mutability(repositoryName=name, **setting)
        if call.changed("ImageScanningConfiguration"):
            setting = {"imageScanningConfiguration": {"scanOnPush": False}} | _scanning(call.properties)
            ecr.put_image_scanning_configuration(repositoryName=name, **setting)
        self._policies(call, name)
        arn = self._arn(call)
        retag(
            call,
            lambda tags: ecr.tag_resource(resourceArn=arn, tags=entries(tags)),
            lambda keys: ecr.untag_resource(resourceArn=arn, tagKeys=keys),
        )

    def delete(self, call: Call) -> None:
        force = bool(call.properties.get("EmptyOnDelete"))
        call.client("ecr").delete_repository(repositoryName=call.physical, force=force)

    def read(self, call: Call) -> dict[str, Any] | None:
        ecr, name = call.client("ecr"), call.physical
        try:
            found = ecr.describe_repositories(repositoryNames=[name])["repositories"][0]
        except ClientError as error:
            if error.response["Error"]["Code"] == "RepositoryNotFoundException":
                return None
            raise
        lifecycle = _text(ecr.get_lifecycle_policy, "lifecyclePolicyText", name)
        policy = _text(ecr.get_repository_policy, "policyText", name)
        return present(
            {
                "RepositoryName": name,
                "Arn": found["repositoryArn"],
                "RepositoryUri": found["repositoryUri"],
                "ImageTagMutability": found["imageTagMutability"],
                "ImageTagMutabilityExclusionFilters": [
                    {
                        "ImageTagMutabilityExclusionFilterType": item["filterType"],
                        "ImageTagMutabilityExclusionFilterValue": item["filter"],
                    }
                    for item in found.get("imageTagMutabilityExclusionFilters", [])
                ],
                "ImageScanningConfiguration": {
                    "ScanOnPush": found["imageScanningConfiguration"]["scanOnPush"]
                },
                "EncryptionConfiguration": pascal(found.get("encryptionConfiguration")),
                "LifecyclePolicy": lifecycle and {"LifecyclePolicyText": lifecycle},
                "RepositoryPolicyText": policy and json.loads(policy),
            }
        ) | {"Tags": entries(ecr.list_tags_for_resource(resourceArn=found["repositoryArn"])["tags"])}

    def _arn(self, call: Call) -> str:
        return f"arn:aws:ecr:{call.region}:{call.account}:repository/{call.physical}"

    def _policies(self, call: Call, name: str) -> None:
        ecr = call.client("ecr")
        if call.changed("LifecyclePolicy"):
            text = call.properties.get("LifecyclePolicy", {}).get("LifecyclePolicyText")
            if text:
                ecr.put_lifecycle_policy(repositoryName=name, lifecyclePolicyText=text)
            else:
                ecr.delete_lifecycle_policy(repositoryName=name)
        if call.changed("RepositoryPolicyText"):
            if "RepositoryPolicyText" in call.properties:
                ecr.set_repository_policy(
                    repositoryName=name, policyText=document(call.properties["RepositoryPolicyText"])
                )
            else:
                ecr.delete_repository_policy(repositoryName=name)


def _mutability(wanted: Any) -> dict[str, Any]:
    filters = [
        {
            "filterType": item["ImageTagMutabilityExclusionFilterType"],
            "filter": item["ImageTagMutabilityExclusionFilterValue"],
        }
        for item in wanted.get("ImageTagMutabilityExclusionFilters", [])
    ]
    return present(
        {
            "imageTagMutability": wanted.get("ImageTagMutability"),
            "imageTagMutabilityExclusionFilters": filters,
        }
    )


def _scanning(wanted: Any) -> dict[str, Any]:
    if "ImageScanningConfiguration" not in wanted:
        return {}
    return {
        "imageScanningConfiguration": {
            "scanOnPush": wanted["ImageScanningConfiguration"].get("ScanOnPush", False)
        }
    }


def _text(ask: Any, key: str, name: str) -> str | None:
    try:
        return str(ask(repositoryName=name)[key])
    except ClientError as error:
        if error.response["Error"]["Code"] in (
            "LifecyclePolicyNotFoundException",
            "RepositoryPolicyNotFoundException",
        ):
            return None
        raise


ADAPTERS: tuple[Adapter, ...] = (Repository(),)
