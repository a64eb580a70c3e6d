"""KMS, Logs, ECR, Route 53, ACM and EventBridge."""

import json
from typing import Any

import pytest

from tests.unit.standin.cloudformation.resources import lives
from tests.unit.standin.cloudformation.resources.templates import resource, role
from tests.unit.standin.cloudformation.sandbox import Sandbox, changed, template

ENV = lives.TAGS
NAMED = [{"Key": "a", "Value": "b"}]


def pairs(tags: Any) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}


def policy(*principals: str) -> dict[str, Any]:
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": list(principals)},
        "Action": "kms:*",
        "Resource": "*",
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def key(box: Sandbox, name: str) -> Any:
    kms = box.aws("kms")
    found = kms.describe_key(KeyId=name)["KeyMetadata"]
    if found["KeyState"] == "PendingDeletion":
        return None
    document = json.loads(kms.get_key_policy(KeyId=name, PolicyName="default")["Policy"])
    return (
        found["Description"], kms.get_key_rotation_status(KeyId=name)["KeyRotationEnabled"],
        len(document["Statement"][0]["Principal"]["AWS"]), {tag["TagKey"]: tag["TagValue"] for tag in kms.list_resource_tags(KeyId=name)["Tags"]},
    )  # fmt: skip


def alias(box: Sandbox, name: str) -> Any:
    found = next(item for item in box.aws("kms").list_aliases()["Aliases"] if item["AliasName"] == name)
    return found["TargetKeyId"] == box.physical()["Second"]


def log_group(box: Sandbox, name: str) -> Any:
    logs = box.aws("logs")
    found = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"][0]
    return found.get("retentionInDays"), logs.list_tags_log_group(logGroupName=name)["tags"]


LIFECYCLE = json.dumps({"rules": [{"rulePriority": 1, "selection": {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 14}, "action": {"type": "expire"}}]})  # fmt: skip


def repository(box: Sandbox, name: str) -> Any:
    ecr = box.aws("ecr")
    found = ecr.describe_repositories(repositoryNames=[name])["repositories"][0]
    try:
        days = json.loads(ecr.get_lifecycle_policy(repositoryName=name)["lifecyclePolicyText"])["rules"][0][
            "selection"
        ]["countNumber"]
    except ecr.exceptions.LifecyclePolicyNotFoundException:
        days = None
    return found["imageTagMutability"], found["imageScanningConfiguration"]["scanOnPush"], days


def zone(box: Sandbox, name: str) -> Any:
    route53 = box.aws("route53")
    found = route53.get_hosted_zone(Id=name)["HostedZone"]
    tags = route53.list_tags_for_resource(ResourceType="hostedzone", ResourceId=name)["ResourceTagSet"][
        "Tags"
    ]
    return found["Name"], found["Config"]["Comment"], pairs(tags)


def records(box: Sandbox) -> dict[str, list[str]]:
    found = box.aws("route53").list_resource_record_sets(HostedZoneId=box.physical()["Zone"])[
        "ResourceRecordSets"
    ]
    return {
        item["Name"]: [each["Value"] for each in item["ResourceRecords"]]
        for item in found
        if item["Type"] not in ("NS", "SOA")
    }


ZONE = resource(
    "AWS::Route53::HostedZone",
    Name="slipway.example.com",
    HostedZoneConfig={"Comment": "c"},
    HostedZoneTags=NAMED,
)
HOOK = resource("AWS::SecretsManager::Secret", Name="hook", SecretString='{"secret": "hush"}')
CONNECTION = resource(
    "AWS::Events::Connection",
    Name="updater",
    Description="d",
    AuthorizationType="API_KEY",
    AuthParameters={"ApiKeyAuthParameters": {"ApiKeyName": "X-Webhook-Secret", "ApiKeyValue": {"Fn::Sub": "{{resolve:secretsmanager:${Hook}:SecretString:secret}}"}}},
)  # fmt: skip
DESTINATION = resource(
    "AWS::Events::ApiDestination", Name="updater", Description="d", ConnectionArn={"Fn::GetAtt": ["Connection", "Arn"]},
    HttpMethod="POST", InvocationEndpoint="https://updater.example.com/webhook", InvocationRateLimitPerSecond=10,
)  # fmt: skip
RULE = resource(
    "AWS::Events::Rule",
    Name="push",
    Description="d",
    State="ENABLED",
    EventPattern={"source": ["aws.ecr"], "detail-type": ["ECR Image Action"]},
    Targets=[
        {
            "Id": "updater", "Arn": {"Fn::GetAtt": ["Destination", "Arn"]}, "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
            "InputTransformer": {"InputPathsMap": {"repo": "$.detail.repository-name"}, "InputTemplate": '{"r":"<repo>"}'},
            "RetryPolicy": {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 60},
        }
    ],
)  # fmt: skip
EVENTS = template(
    {
        "Hook": HOOK,
        "Connection": CONNECTION,
        "Destination": DESTINATION,
        "Role": role("events.amazonaws.com"),
        "Rule": RULE,
    }
)


def connection(box: Sandbox, name: str) -> Any:
    found = box.aws("events").describe_connection(Name=name)
    return found["Description"], found["AuthParameters"]["ApiKeyAuthParameters"]["ApiKeyName"]


def destination(box: Sandbox, name: str) -> Any:
    found = box.aws("events").describe_api_destination(Name=name)
    return found["InvocationEndpoint"], found["InvocationRateLimitPerSecond"]


def rule(box: Sandbox, name: str) -> Any:
    events = box.aws("events")
    found = events.describe_rule(Name=name)
    targets = events.list_targets_by_rule(Rule=name)["Targets"]
    return found["State"], json.loads(found["EventPattern"])["source"], [item["Id"] for item in targets]


KEY = resource(
    "AWS::KMS::Key",
    Description="d",
    EnableKeyRotation=True,
    PendingWindowInDays=7,
    KeyPolicy=policy("arn:aws:iam::123456789012:root"),
)
LOG = resource("AWS::Logs::LogGroup", LogGroupName="/aws/eks/x", RetentionInDays=30)
REPOSITORY = resource("AWS::ECR::Repository", RepositoryName="eks-app", ImageTagMutability="IMMUTABLE", ImageScanningConfiguration={"ScanOnPush": True}, EncryptionConfiguration={"EncryptionType": "AES256"}, LifecyclePolicy={"LifecyclePolicyText": LIFECYCLE})  # fmt: skip
ALIASES = template(
    {
        "Key": KEY,
        "Second": KEY,
        "Alias": resource("AWS::KMS::Alias", AliasName="alias/x", TargetKeyId={"Ref": "Key"}),
    }
)

CASES: dict[str, tuple[str, str, lives.Look, Any, dict[str, Any], Any, bool]] = {
    "key": (template({"Key": KEY}), "Key", key, ("d", True, 1, ENV), {"Description": "e", "EnableKeyRotation": False, "Tags": NAMED, "KeyPolicy": policy("arn:aws:iam::123456789012:root", "arn:aws:iam::123456789012:role/x")}, ("e", False, 2, {"a": "b", **ENV}), False),
    "alias": (ALIASES, "Alias", alias, False, {"TargetKeyId": {"Fn::GetAtt": ["Second", "Arn"]}}, True, False),
    "log group": (template({"Log": LOG}), "Log", log_group, (30, ENV), {"RetentionInDays": None, "Tags": NAMED}, (None, {"a": "b", **ENV}), False),
    "log group, replaced": (template({"Log": LOG}), "Log", log_group, (30, ENV), {"LogGroupName": "/aws/eks/y"}, (30, ENV), True),
    "repository": (template({"Repo": REPOSITORY}), "Repo", repository, ("IMMUTABLE", True, 14), {"ImageTagMutability": "MUTABLE", "ImageScanningConfiguration": None, "LifecyclePolicy": {"LifecyclePolicyText": LIFECYCLE.replace("14", "30")}}, ("MUTABLE", False, 30), False),
    "repository without lifecycle": (template({"Repo": REPOSITORY}), "Repo", repository, ("IMMUTABLE", True, 14), {"LifecyclePolicy": None}, ("IMMUTABLE", True, None), False),
    "zone": (template({"Zone": ZONE}), "Zone", zone, ("slipway.example.com.", "c", {"a": "b", **ENV}), {"HostedZoneConfig": {"Comment": "e"}, "HostedZoneTags": None}, ("slipway.example.com.", "e", ENV), False),
    "zone, replaced": (template({"Zone": ZONE}), "Zone", zone, ("slipway.example.com.", "c", {"a": "b", **ENV}), {"Name": "other.example.com"}, ("other.example.com.", "c", {"a": "b", **ENV}), True),
    "connection": (EVENTS, "Connection", connection, ("d", "X-Webhook-Secret"), {"Description": "e", "AuthParameters": {"ApiKeyAuthParameters": {"ApiKeyName": "X-Other", "ApiKeyValue": "v"}}}, ("e", "X-Other"), False),
    "destination": (EVENTS, "Destination", destination, ("https://updater.example.com/webhook", 10), {"InvocationEndpoint": "https://other.example.com/", "InvocationRateLimitPerSecond": 5}, ("https://other.example.com/", 5), False),
    "rule": (EVENTS, "Rule", rule, ("ENABLED", ["aws.ecr"], ["updater"]), {"State": "DISABLED", "EventPattern": {"source": ["own"]}, "Targets": [{"Id": "other", "Arn": {"Fn::GetAtt": ["Destination", "Arn"]}, "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]}}]}, ("DISABLED", ["own"], ["other"]), False),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_life(sandbox: Sandbox, case: Any) -> None:
    text, logical, look, before, changes, after, replaced = case
    physical = lives.live(
        sandbox, text, logical, look=look, before=before, changes=changes, after=after, replaced=replaced
    )
    lives.die(sandbox, look, physical)


def test_attributes(sandbox: Sandbox) -> None:
    asked = {
        "Arn": ["Repo", "Arn"],
        "Uri": ["Repo", "RepositoryUri"],
        "KeyArn": ["Key", "Arn"],
        "LogArn": ["Log", "Arn"],
    }
    outputs: dict[str, Any] = {name: {"Fn::GetAtt": where} for name, where in asked.items()}
    outputs["Servers"] = {"Fn::Join": [",", {"Fn::GetAtt": ["Zone", "NameServers"]}]}
    assert (
        sandbox.deploy(template({"Repo": REPOSITORY, "Key": KEY, "Log": LOG, "Zone": ZONE}, outputs))
        == "CREATE_COMPLETE"
    )
    where = f"{sandbox.region}:{sandbox.account}"
    found = sandbox.outputs()
    assert found.pop("Servers").count(",") == 3
    assert found == {
        "Arn": f"arn:aws:ecr:{where}:repository/eks-app",
        "Uri": f"{sandbox.account}.dkr.ecr.{sandbox.region}.amazonaws.com/eks-app",
        "KeyArn": f"arn:aws:kms:{where}:key/{sandbox.physical()['Key']}",
        "LogArn": f"arn:aws:logs:{where}:log-group:/aws/eks/x:*",
    }


def test_an_output_that_is_a_list(sandbox: Sandbox) -> None:
    assert (
        sandbox.deploy(template({"Zone": ZONE}, {"Servers": {"Fn::GetAtt": ["Zone", "NameServers"]}}))
        == "ROLLBACK_COMPLETE"
    )
    newest = sandbox.cloudformation.describe_stack_events(StackName="stack")["StackEvents"]
    assert any(
        "The Value field must be a String" in event.get("ResourceStatusReason", "") for event in newest
    )


def certificate(**more: Any) -> dict[str, Any]:
    names = ["ledger.slipway.example.com", "updater.slipway.example.com"]
    options = [{"DomainName": name, "HostedZoneId": {"Ref": "Zone"}} for name in names]
    wanted = {
        "DomainName": names[0],
        "SubjectAlternativeNames": names[1:],
        "ValidationMethod": "DNS",
        "DomainValidationOptions": options,
    }
    return resource("AWS::CertificateManager::Certificate", **{**wanted, **more})


def issued(box: Sandbox, arn: str) -> Any:
    return box.aws("acm").describe_certificate(CertificateArn=arn)["Certificate"]["Status"]


def test_certificate(sandbox: Sandbox) -> None:
    text = template({"Zone": ZONE, "Certificate": certificate()})
    arn = lives.live(
        sandbox, text, "Certificate", look=issued, before="ISSUED", changes={"Tags": NAMED}, after="ISSUED"
    )
    assert sorted(name.partition(".")[2] for name in records(sandbox)) == [
        "ledger.slipway.example.com.",
        "updater.slipway.example.com.",
    ]
    assert sandbox.delete() == "DELETE_FAILED", "the validation records stay in the zone, as in AWS"
    assert "HostedZoneNotEmpty" in sandbox.reasons()["Zone"]
    assert lives.see(issued, sandbox, arn) is None


def test_certificate_replaced(sandbox: Sandbox) -> None:
    text = template({"Zone": ZONE, "Certificate": certificate()})
    changes = {
        "DomainName": "app.slipway.example.com",
        "SubjectAlternativeNames": None,
        "DomainValidationOptions": [
            {"DomainName": "app.slipway.example.com", "HostedZoneId": {"Ref": "Zone"}}
        ],
    }
    lives.live(
        sandbox,
        text,
        "Certificate",
        look=issued,
        before="ISSUED",
        changes=changes,
        after="ISSUED",
        replaced=True,
    )


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"DomainValidationOptions": [{"DomainName": "ledger.slipway.example.com", "HostedZoneId": {"Ref": "Zone"}}]}, "is PENDING_VALIDATION: its validation records are not in DNS"),
        ({"ValidationMethod": "EMAIL"}, "validated by e-mail are not supported"),
    ],
)  # fmt: skip
def test_certificates_that_nobody_validates(sandbox: Sandbox, more: dict[str, Any], reason: str) -> None:
    assert sandbox.deploy(template({"Certificate": certificate(**more), "Zone": ZONE})).startswith(
        "ROLLBACK_"
    )
    assert reason in sandbox.reasons()["Certificate"]
    assert sandbox.aws("acm").list_certificates()["CertificateSummaryList"] == []


def test_record(sandbox: Sandbox) -> None:
    record = resource(
        "AWS::Route53::RecordSet",
        HostedZoneId={"Ref": "Zone"},
        Name="a.slipway.example.com",
        Type="A",
        TTL="60",
        ResourceRecords=["192.0.2.1"],
    )

    def look(box: Sandbox, _: str) -> Any:
        return records(box)

    text = template({"Zone": ZONE, "Record": record})
    lives.live(
        sandbox,
        text,
        "Record",
        look=look,
        before={"a.slipway.example.com.": ["192.0.2.1"]},
        changes={"ResourceRecords": ["192.0.2.2"]},
        after={"a.slipway.example.com.": ["192.0.2.2"]},
    )
    sandbox.cloudformation.delete_change_set(StackName="stack", ChangeSetName="proposed")
    assert sandbox.deploy(changed(text, "Record", Name="b.slipway.example.com")) == "UPDATE_COMPLETE"
    assert records(sandbox) == {"b.slipway.example.com.": ["192.0.2.1"]}
    assert sandbox.drift() == {}
    assert sandbox.delete() is None, sandbox.reasons()


def test_a_repository_with_images_stays(sandbox: Sandbox) -> None:
    sandbox.deploy(template({"Repo": REPOSITORY}))
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "config": {"digest": "sha256:" + "0" * 64, "size": 1, "mediaType": "x"},
            "layers": [],
        }
    )
    sandbox.aws("ecr").put_image(repositoryName="eks-app", imageManifest=manifest, imageTag="v1.0.0")
    assert sandbox.delete() == "DELETE_FAILED"
    assert "RepositoryNotEmptyException" in sandbox.reasons()["Repo"]
    assert sandbox.physical() == {"Repo": "eks-app"}


@pytest.mark.parametrize("logical", ["Connection", "Destination", "Rule"])
def test_names_that_are_taken(sandbox: Sandbox, logical: str) -> None:
    sandbox.deploy(EVENTS)
    again = json.loads(EVENTS)
    again["Resources"]["Again"] = {**again["Resources"][logical], "DependsOn": logical}
    assert sandbox.deploy(json.dumps(again)) == "UPDATE_ROLLBACK_COMPLETE"
    assert "already exists" in sandbox.reasons()["Again"]
    assert sandbox.drift() == {}


def test_a_destination_needs_its_connection(sandbox: Sandbox) -> None:
    alone = template(
        {
            "D": {
                **DESTINATION,
                "Properties": {
                    **DESTINATION["Properties"],
                    "ConnectionArn": "arn:aws:events:ap-northeast-1:123456789012:connection/x/y",
                },
            }
        }
    )
    assert sandbox.deploy(alone) == "ROLLBACK_COMPLETE"
    assert "does not exist" in sandbox.reasons()["D"]


def test_the_webhook_secret_reaches_the_connection_and_shows_nowhere(sandbox: Sandbox) -> None:
    sandbox.deploy(EVENTS)
    held = sandbox.aws("events").describe_connection(Name="updater")["SecretArn"]
    kept = json.loads(sandbox.aws("secretsmanager").get_secret_value(SecretId=held)["SecretString"])
    assert kept == {"api_key_name": "X-Webhook-Secret", "api_key_value": "hush"}
    events = sandbox.cloudformation.describe_stack_events(StackName="stack")["StackEvents"]
    assert all(
        "hush" not in event.get("ResourceProperties", "")
        for event in events
        if event["LogicalResourceId"] == "Connection"
    )
