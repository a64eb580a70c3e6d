"""RDS and Secrets Manager: the database stack."""

import json
from typing import Any

import pytest

from tests.unit.standin.cloudformation.resources import lives
from tests.unit.standin.cloudformation.resources.templates import NETWORK, SUBNETS, resource
from tests.unit.standin.cloudformation.sandbox import Sandbox, changed, template

SECRET = resource(
    "AWS::SecretsManager::Secret",
    Name="database-secrets",
    Description="d",
    GenerateSecretString={"SecretStringTemplate": '{"username": "slipway"}', "GenerateStringKey": "password", "PasswordLength": 32, "ExcludePunctuation": True},
)  # fmt: skip


def field(name: str) -> dict[str, str]:
    return {"Fn::Sub": f"{{{{resolve:secretsmanager:${{Secret}}:SecretString:{name}}}}}"}


INSTANCE = resource(
    "AWS::RDS::DBInstance",
    Engine="postgres",
    EngineVersion="17.6",
    DBInstanceClass="db.m7g.large",
    AllocatedStorage=20,
    MaxAllocatedStorage=100,
    StorageType="gp3",
    StorageEncrypted=True,
    DBName="slipway",
    Port=5432,
    MasterUsername=field("username"),
    MasterUserPassword=field("password"),
    DBSubnetGroupName={"Ref": "Subnets"},
    VPCSecurityGroups=[{"Fn::GetAtt": ["Group", "GroupId"]}],
    DBParameterGroupName={"Ref": "Parameters"},
    MultiAZ=True,
    PubliclyAccessible=False,
    BackupRetentionPeriod=7,
    PreferredBackupWindow="15:00-16:00",
    PreferredMaintenanceWindow="sun:17:00-sun:18:00",
    CopyTagsToSnapshot=True,
    DeletionProtection=False,
    EnableIAMDatabaseAuthentication=True,
    EnableCloudwatchLogsExports=["postgresql"],
    AutoMinorVersionUpgrade=True,
    AllowMajorVersionUpgrade=False,
    CACertificateIdentifier="rds-ca-rsa2048-g1",
)
PARTS = {
    **NETWORK,
    "Group": resource("AWS::EC2::SecurityGroup", VpcId={"Ref": "Vpc"}, GroupDescription="g"),
    "Subnets": resource("AWS::RDS::DBSubnetGroup", DBSubnetGroupDescription="private", SubnetIds=SUBNETS),
    "Parameters": resource("AWS::RDS::DBParameterGroup", Description="p", Family="postgres17", Parameters={"rds.force_ssl": 1}),
    "Secret": SECRET,
    "Instance": INSTANCE,
    "Attachment": resource("AWS::SecretsManager::SecretTargetAttachment", SecretId={"Ref": "Secret"}, TargetId={"Ref": "Instance"}, TargetType="AWS::RDS::DBInstance"),
}  # fmt: skip
OUTPUTS = {
    name.replace(".", ""): {"Fn::GetAtt": ["Instance", name]}
    for name in ("Endpoint.Address", "Endpoint.Port", "DbiResourceId", "DBInstanceArn")
}
WHOLE = template(PARTS, {**OUTPUTS, "Secret": {"Ref": "Secret"}})


def instance(box: Sandbox, name: str) -> Any:
    return box.aws("rds").describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]


def value(box: Sandbox) -> dict[str, Any]:
    text = box.aws("secretsmanager").get_secret_value(SecretId="database-secrets")["SecretString"]
    return dict(json.loads(text))


def test_the_secret_holds_what_the_database_is(sandbox: Sandbox) -> None:
    assert sandbox.deploy(WHOLE) == "CREATE_COMPLETE", sandbox.reasons()
    made, found, outputs = sandbox.physical(), value(sandbox), sandbox.outputs()
    password = found.pop("password")
    assert (len(password), password.isalnum()) == (32, True)
    assert found == {
        "username": "slipway", "engine": "postgres", "host": outputs["EndpointAddress"], "port": 5432,
        "dbname": "slipway", "dbInstanceIdentifier": made["Instance"],
    }  # fmt: skip
    live = instance(sandbox, made["Instance"])
    assert live["MasterUsername"] == "slipway"
    assert outputs["EndpointAddress"] == live["Endpoint"]["Address"]
    assert outputs["EndpointPort"] == "5432"
    assert outputs["DBInstanceArn"] == live["DBInstanceArn"]
    assert outputs["Secret"] == made["Attachment"] == made["Secret"]
    assert sandbox.drift() == {}


def test_the_password_shows_nowhere(sandbox: Sandbox) -> None:
    sandbox.deploy(WHOLE)
    password = value(sandbox)["password"]
    pages = sandbox.cloudformation.get_paginator("describe_stack_events").paginate(StackName="stack")
    events = json.dumps([page["StackEvents"] for page in pages], default=str)
    sandbox.drift()
    drifts = sandbox.cloudformation.describe_stack_resource_drifts(StackName="stack")
    plan = sandbox.propose(changed(WHOLE, "Instance", MasterUserPassword="other-password"))
    for shown in (events, json.dumps(drifts, default=str), json.dumps(plan, default=str)):
        assert password not in shown
    assert "{{resolve:secretsmanager:arn:aws:secretsmanager:" in events


def test_another_value_of_the_secret_is_no_change(sandbox: Sandbox) -> None:
    sandbox.deploy(WHOLE)
    manager = sandbox.aws("secretsmanager")
    manager.put_secret_value(
        SecretId="database-secrets", SecretString=json.dumps({**value(sandbox), "password": "rotated"})
    )
    assert sandbox.propose(WHOLE)["Status"] == "FAILED"
    assert sandbox.drift() == {}


CHANGES: dict[str, tuple[dict[str, Any], Any, Any]] = {
    "class": ({"DBInstanceClass": "db.m7g.xlarge"}, "DBInstanceClass", "db.m7g.xlarge"),
    "storage": ({"AllocatedStorage": 40}, "AllocatedStorage", 40),
    "more storage": ({"MaxAllocatedStorage": 200}, "MaxAllocatedStorage", 200),
    "zones": ({"MultiAZ": False}, "MultiAZ", False),
    "backups": ({"BackupRetentionPeriod": 14}, "BackupRetentionPeriod", 14),
    "protection": ({"DeletionProtection": True}, "DeletionProtection", True),
    "minor version": ({"EngineVersion": "17.7"}, "EngineVersion", "17.7"),
    "major version": ({"EngineVersion": "18.1", "AllowMajorVersionUpgrade": True}, "EngineVersion", "18.1"),
    "logs": ({"EnableCloudwatchLogsExports": ["upgrade"]}, "EnabledCloudwatchLogsExports", ["upgrade"]),
    "port": ({"Port": 5433}, "DbInstancePort", 5433),
    "identity": ({"EnableIAMDatabaseAuthentication": False}, "IAMDatabaseAuthenticationEnabled", False),
    "certificate": (
        {"CACertificateIdentifier": "rds-ca-ecc384-g1"},
        "CACertificateIdentifier",
        "rds-ca-ecc384-g1",
    ),
    "window": (
        {"PreferredMaintenanceWindow": "mon:17:00-mon:18:00"},
        "PreferredMaintenanceWindow",
        "mon:17:00-mon:18:00",
    ),
    "storage kind": ({"StorageType": "io2"}, "StorageType", "io2"),
}


def test_instance_in_place(sandbox: Sandbox) -> None:
    """One change after the other, on the same instance: building it anew for each takes ten times as long."""
    sandbox.deploy(WHOLE)
    made, text = sandbox.physical()["Instance"], WHOLE
    for change, (changes, name, expected) in CHANGES.items():
        assert instance(sandbox, made)[name] != expected, change
        text = changed(text, "Instance", **changes)
        assert sandbox.deploy(text) == "UPDATE_COMPLETE", (change, sandbox.reasons())
        assert instance(sandbox, made)[name] == expected, change
        assert sandbox.drift() == {}, change
    assert sandbox.physical()["Instance"] == made


def test_instance_replaced(sandbox: Sandbox) -> None:
    sandbox.deploy(WHOLE)
    old = sandbox.physical()["Instance"]
    assert sandbox.deploy(changed(WHOLE, "Instance", DBName="other")) == "UPDATE_COMPLETE", sandbox.reasons()
    new = sandbox.physical()["Instance"]
    assert new != old
    assert value(sandbox)["dbInstanceIdentifier"] == new, "the attachment follows"
    assert value(sandbox)["dbname"] == "other"
    snapshots = sandbox.aws("rds").describe_db_snapshots()["DBSnapshots"]
    assert [item["DBInstanceIdentifier"] for item in snapshots if item["SnapshotType"] == "manual"] == [
        old
    ], "Snapshot is RDS's default"


def test_deletion_leaves_a_snapshot(sandbox: Sandbox) -> None:
    sandbox.deploy(WHOLE)
    made = sandbox.physical()["Instance"]
    assert sandbox.delete() is None, sandbox.reasons()
    rds = sandbox.aws("rds")
    assert rds.describe_db_instances()["DBInstances"] == []
    assert [
        item["DBInstanceIdentifier"]
        for item in rds.describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]
    ] == [made]
    assert sandbox.aws("secretsmanager").list_secrets()["SecretList"] == []


def test_a_protected_instance_stays(sandbox: Sandbox) -> None:
    sandbox.deploy(changed(WHOLE, "Instance", DeletionProtection=True))
    assert sandbox.delete() == "DELETE_FAILED"
    assert "please disable deletion protection" in sandbox.reasons()["Instance"]
    assert sandbox.aws("rds").describe_db_snapshots(SnapshotType="manual")["DBSnapshots"] == []
    assert sandbox.physical().keys() >= {"Secret", "Subnets", "Group", "Vpc"}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"AllocatedStorage": 10}, "Invalid storage size"),
        ({"EngineVersion": "18.1"}, "AllowMajorVersionUpgrade flag must be present"),
        ({"EngineVersion": "16.1", "AllowMajorVersionUpgrade": True}, "Cannot downgrade"),
        ({"DBParameterGroupName": "nope"}, "nope"),
    ],
)
def test_what_rds_refuses_is_rolled_back(sandbox: Sandbox, changes: dict[str, Any], reason: str) -> None:
    sandbox.deploy(WHOLE)
    assert sandbox.deploy(changed(WHOLE, "Instance", **changes)) == "UPDATE_ROLLBACK_COMPLETE"
    assert reason in sandbox.reasons()["Instance"]
    assert sandbox.drift() == {}


def test_drift(sandbox: Sandbox) -> None:
    sandbox.deploy(WHOLE)
    made = sandbox.physical()
    rds = sandbox.aws("rds")
    rds.modify_db_instance(
        DBInstanceIdentifier=made["Instance"], MultiAZ=False, BackupRetentionPeriod=1, ApplyImmediately=True
    )
    rds.modify_db_parameter_group(
        DBParameterGroupName=made["Parameters"],
        Parameters=[{"ParameterName": "rds.force_ssl", "ParameterValue": "0", "ApplyMethod": "immediate"}],
    )
    manager = sandbox.aws("secretsmanager")
    manager.put_secret_value(
        SecretId="database-secrets",
        SecretString=json.dumps({**value(sandbox), "dbInstanceIdentifier": "other"}),
    )
    assert sandbox.drift() == {
        "Instance": ("MODIFIED", [("/MultiAZ", "NOT_EQUAL"), ("/BackupRetentionPeriod", "NOT_EQUAL")]),
        "Parameters": ("MODIFIED", [("/Parameters/rds.force_ssl", "NOT_EQUAL")]),
        "Attachment": ("MODIFIED", [("/TargetId", "NOT_EQUAL")]),
    }


def test_subnet_group(sandbox: Sandbox) -> None:
    def look(box: Sandbox, name: str) -> Any:
        return box.aws("rds").describe_db_subnet_groups(DBSubnetGroupName=name)["DBSubnetGroups"][0][
            "DBSubnetGroupDescription"
        ]

    text = template({**NETWORK, "Subnets": PARTS["Subnets"]})
    name = lives.live(
        sandbox,
        text,
        "Subnets",
        look=look,
        before="private",
        changes={"DBSubnetGroupDescription": "e"},
        after="e",
    )
    assert name == name.lower()
    lives.die(sandbox, look, name)


def test_a_subnet_group_covers_two_zones(sandbox: Sandbox) -> None:
    text = template(
        {
            **NETWORK,
            "Subnets": resource(
                "AWS::RDS::DBSubnetGroup", DBSubnetGroupDescription="d", SubnetIds=[{"Ref": "A"}]
            ),
        }
    )
    assert sandbox.deploy(text) == "ROLLBACK_COMPLETE"
    assert "doesn't meet Availability Zone (AZ) coverage requirement" in sandbox.reasons()["Subnets"]


def test_parameter_group(sandbox: Sandbox) -> None:
    def look(box: Sandbox, name: str) -> Any:
        found = box.aws("rds").describe_db_parameters(DBParameterGroupName=name)["Parameters"]
        return {item["ParameterName"]: item["ParameterValue"] for item in found}

    text = template({"P": PARTS["Parameters"]})
    changes = {"Parameters": {"rds.force_ssl": "0", "log_statement": "ddl"}}
    name = lives.live(
        sandbox,
        text,
        "P",
        look=look,
        before={"rds.force_ssl": "1"},
        changes=changes,
        after=changes["Parameters"],
    )
    lives.die(sandbox, look, name)


def test_a_subnet_with_a_database_stays(sandbox: Sandbox) -> None:
    sandbox.deploy(template({name: part for name, part in PARTS.items() if name in NETWORK}), "network")
    rest = json.loads(template({name: part for name, part in PARTS.items() if name not in NETWORK}))
    made = sandbox.physical("network")
    text = json.dumps(rest)
    for name in NETWORK:
        text = text.replace(json.dumps({"Ref": name}), json.dumps(made[name]))
    assert sandbox.deploy(text, "database") == "CREATE_COMPLETE", sandbox.reasons("database")
    assert sandbox.delete("network") == "DELETE_FAILED"
    assert sandbox.physical("database")["Instance"] in sandbox.reasons("network")["A"]


GENERATED: dict[str, tuple[dict[str, Any], Any]] = {
    "template": (
        {
            "SecretStringTemplate": "{}",
            "GenerateStringKey": "secret",
            "PasswordLength": 40,
            "ExcludePunctuation": True,
        },
        lambda text: len(json.loads(text)["secret"]) == 40,
    ),
    "bare": ({"PasswordLength": 20}, lambda text: len(text) == 20),
}


@pytest.mark.parametrize(("rule", "fits"), GENERATED.values(), ids=GENERATED.keys())
def test_generated_secret(sandbox: Sandbox, rule: dict[str, Any], fits: Any) -> None:
    sandbox.deploy(template({"S": resource("AWS::SecretsManager::Secret", GenerateSecretString=rule)}))
    arn = sandbox.physical()["S"]
    manager = sandbox.aws("secretsmanager")
    first = manager.get_secret_value(SecretId=arn)["SecretString"]
    assert fits(first)
    sandbox.deploy(
        template(
            {
                "S": resource(
                    "AWS::SecretsManager::Secret", GenerateSecretString={**rule, "ExcludeNumbers": True}
                )
            }
        )
    )
    assert sandbox.physical()["S"] == arn
    assert manager.get_secret_value(SecretId=arn)["SecretString"] != first


def test_secret_in_place_keeps_its_value(sandbox: Sandbox) -> None:
    def look(box: Sandbox, arn: str) -> Any:
        found = box.aws("secretsmanager").describe_secret(SecretId=arn)
        return found["Description"], {tag["Key"]: tag["Value"] for tag in found["Tags"]}

    text = template({"Secret": SECRET})
    arn = lives.live(
        sandbox,
        text,
        "Secret",
        look=look,
        before=("d", lives.TAGS),
        changes={"Description": "e", "Tags": [{"Key": "a", "Value": "b"}]},
        after=("e", {"a": "b", **lives.TAGS}),
    )
    assert value(sandbox)["username"] == "slipway"
    lives.die(sandbox, look, arn)


def test_a_secret_without_a_value(sandbox: Sandbox) -> None:
    sandbox.deploy(template({"S": resource("AWS::SecretsManager::Secret", Name="git-credentials")}))
    manager = sandbox.aws("secretsmanager")
    with pytest.raises(manager.exceptions.ResourceNotFoundException):
        manager.get_secret_value(SecretId="git-credentials")
    manager.put_secret_value(SecretId="git-credentials", SecretString='{"username": "x"}')
    assert sandbox.drift() == {}
    assert (
        sandbox.deploy(
            template({"S": resource("AWS::SecretsManager::Secret", Name="git-credentials", Description="d")})
        )
        == "UPDATE_COMPLETE"
    )
    assert manager.get_secret_value(SecretId="git-credentials")["SecretString"] == '{"username": "x"}'


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        (
            "{{resolve:secretsmanager:nope:SecretString:a}}",
            "Secrets Manager can't find the specified secret.",
        ),
        (
            "{{resolve:secretsmanager:there:SecretString:b}}",
            "Could not find a value associated with JSONKey in SecretString",
        ),
        ("{{resolve:ssm:/a/b}}", "Dynamic references to ssm are not supported"),
    ],
)
def test_dynamic_references_that_lead_nowhere(sandbox: Sandbox, reference: str, reason: str) -> None:
    sandbox.aws("secretsmanager").create_secret(Name="there", SecretString='{"a": "x"}')
    assert (
        sandbox.deploy(template({"S": resource("AWS::SecretsManager::Secret", SecretString=reference)}))
        == "ROLLBACK_COMPLETE"
    )
    assert reason in sandbox.reasons()["S"]


def test_without_its_attachment_the_secret_forgets_the_database(sandbox: Sandbox) -> None:
    sandbox.deploy(WHOLE)
    password = value(sandbox)["password"]
    content = json.loads(WHOLE)
    del content["Resources"]["Attachment"]
    assert sandbox.deploy(json.dumps(content)) == "UPDATE_COMPLETE", sandbox.reasons()
    assert value(sandbox) == {"username": "slipway", "password": password}


def test_databases_have_resource_ids_of_their_own(sandbox: Sandbox) -> None:
    sandbox.deploy(WHOLE)
    first = sandbox.outputs()["DbiResourceId"]
    assert first == instance(sandbox, sandbox.physical()["Instance"])["DbiResourceId"]
    sandbox.deploy(changed(WHOLE, "Instance", DBName="other"))
    assert sandbox.outputs()["DbiResourceId"] != first
