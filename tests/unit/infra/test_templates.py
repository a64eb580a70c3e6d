import json
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import ManualArgs, lint

from ci.settings import ROOT
from infra import template
from infra.environment import CONCERNS
from tests.unit.infra.resolved import Stack, document

TEMPLATES = {concern: ROOT / "infra" / "templates" / f"{concern}.yaml" for concern in CONCERNS}
DATA = {
    "AWS::RDS::DBInstance", "AWS::ECR::Repository", "AWS::Route53::HostedZone", "AWS::SecretsManager::Secret",
    "AWS::KMS::Key", "AWS::Logs::LogGroup",
}  # fmt: skip
"""Types that hold what cannot be made again."""


def parsed(concern: str) -> dict[str, Any]:
    return template.parse(TEMPLATES[concern].read_text())


def test_there_is_no_other_template() -> None:
    assert sorted(TEMPLATES.values()) == sorted((ROOT / "infra" / "templates").iterdir())


CONFIG = ManualArgs(
    # where both environments are: what a type may hold differs from region to region
    regions=["ap-northeast-1"],
    include_checks=["I"],
    # I4010 wants a block that describes the template to language models
    ignore_checks=["I4010"],
)


def findings(text: str) -> list[str]:
    return [f"{match.linenumber}: {match.rule.id} {match.message}" for match in lint(text, config=CONFIG)]


@pytest.mark.parametrize("concern", CONCERNS)
def test_cfn_lint_finds_nothing(concern: str) -> None:
    """Errors, warnings and remarks."""
    assert findings(TEMPLATES[concern].read_text()) == []


@pytest.mark.parametrize(
    ("concern", "old", "new", "rule"),
    [
        ("registry", "RepositoryName: eks-app", "RepositoryNam: eks-app", "E3002"),
        ("database", "    UpdateReplacePolicy: Snapshot\n", "", "I3011"),
        ("network", "  Endpoints:\n", "  Unused: {Type: String}\n  Endpoints:\n", "W2001"),
    ],
)
def test_cfn_lint_would_find_something(concern: str, old: str, new: str, rule: str) -> None:
    broken = TEMPLATES[concern].read_text().replace(old, new, 1)
    assert rule in {finding.split()[1] for finding in findings(broken)}


@pytest.mark.parametrize("concern", CONCERNS)
def test_what_holds_data_says_what_becomes_of_it(concern: str) -> None:
    for name, resource in parsed(concern)["Resources"].items():
        if resource["Type"] in DATA:
            kept = resource.get("UpdateReplacePolicy"), resource.get("DeletionPolicy")
            wanted = (
                ("Snapshot", "Snapshot")
                if resource["Type"] == "AWS::RDS::DBInstance"
                else ("Retain", "Delete")
            )
            assert kept == wanted, name


@pytest.mark.parametrize("concern", CONCERNS)
def test_stacks_are_coupled_by_parameters_alone(concern: str) -> None:
    text = TEMPLATES[concern].read_text()
    assert "ImportValue" not in text
    assert not any("Export" in output for output in parsed(concern)["Outputs"].values())


@pytest.mark.parametrize("concern", CONCERNS)
def test_no_parameter_is_a_password(concern: str) -> None:
    names = [name.lower() for name in parsed(concern)["Parameters"]]
    assert [
        name for name in names if "password" in name or (name.endswith("secret") and "arn" not in name)
    ] == []


def test_the_database_s_password_comes_from_the_secret_alone() -> None:
    instance = Stack("production", "database").properties("Instance")
    password = instance["MasterUserPassword"]
    assert password.startswith("{{resolve:secretsmanager:arn:aws:secretsmanager:ap-northeast-1:210987654321:")
    assert password.endswith(":SecretString:password}}")


def test_the_database_is_closed() -> None:
    stack = Stack("production", "database")
    instance, group = stack.properties("Instance"), stack.properties("SecurityGroup")
    assert (instance["PubliclyAccessible"], instance["StorageEncrypted"]) == (False, True)
    assert group["SecurityGroupIngress"] == [
        {
            "IpProtocol": "tcp", "FromPort": "5432", "ToPort": "5432", "Description": "nodes of the cluster",
            "SourceSecurityGroupId": "cluster-NodeSecurityGroupId",
        }
    ]  # fmt: skip
    assert [rule["CidrIp"] for rule in group["SecurityGroupEgress"]] == ["127.0.0.1/32"]


def test_the_secret_is_completed_by_the_database() -> None:
    stack = Stack("production", "database")
    made = stack.properties("Secret")["GenerateSecretString"]
    assert json.loads(made["SecretStringTemplate"]) == {"username": "slipway"}
    assert made["GenerateStringKey"] == "password"
    assert stack.properties("SecretAttachment") == {
        "SecretId": stack.values["AWS::AccountId"] and stack._reference("Secret"),
        "TargetId": "ref-Instance",
        "TargetType": "AWS::RDS::DBInstance",
    }


def test_no_lifecycle_rule_touches_what_has_a_tag() -> None:
    repositories = Stack("production", "registry").of_type("AWS::ECR::Repository")
    assert sorted(found["RepositoryName"] for found in repositories.values()) == [
        "eks-app",
        "eks-migration",
        "eks-web",
    ]
    for found in repositories.values():
        assert found["ImageTagMutability"] == "IMMUTABLE"
        assert found["ImageScanningConfiguration"] == {"ScanOnPush": True}
        rules = json.loads(found["LifecyclePolicy"]["LifecyclePolicyText"])["rules"]
        assert [(rule["selection"]["tagStatus"], rule["selection"]["countNumber"]) for rule in rules] == [
            ("untagged", 14)
        ]


@pytest.mark.parametrize("kind", ["Public", "Private"])
def test_subnets_carry_the_tags_that_the_load_balancer_controller_looks_for(kind: str) -> None:
    subnets = Stack("production", "network").of_type("AWS::EC2::Subnet")
    role = "kubernetes.io/role/elb" if kind == "Public" else "kubernetes.io/role/internal-elb"
    mine = {name: found for name, found in subnets.items() if name.startswith(kind)}
    assert len(mine) == 3
    for found in mine.values():
        tags = {tag["Key"]: tag["Value"] for tag in found["Tags"]}
        assert tags[role] == "1"
        assert tags["kubernetes.io/cluster/slipway-production"] == "shared"
        assert found["MapPublicIpOnLaunch"] is False


def test_the_cluster() -> None:
    stack = Stack("production", "cluster")
    cluster = stack.properties("Cluster")
    assert cluster["AccessConfig"] == {
        "AuthenticationMode": "API",
        "BootstrapClusterCreatorAdminPermissions": False,
    }
    assert cluster["EncryptionConfig"][0]["Resources"] == ["secrets"]
    assert cluster["BootstrapSelfManagedAddons"] is False
    addons = {
        found["AddonName"]: found["AddonVersion"] for found in stack.of_type("AWS::EKS::Addon").values()
    }
    assert addons == {
        "vpc-cni": "v1.21.1-eksbuild.3",
        "kube-proxy": "v1.35.0-eksbuild.2",
        "coredns": "v1.13.2-eksbuild.1",
    }
    assert (
        stack.properties("AdministratorAccess")["PrincipalArn"]
        == "arn:aws:iam::210987654321:role/administrator"
    )
    options = stack.properties("NodeTemplate")["LaunchTemplateData"]["MetadataOptions"]
    assert options == {"HttpTokens": "required", "HttpPutResponseHopLimit": 1}


def test_documents_with_computed_keys_are_json() -> None:
    """CloudFormation takes text for an object; broken text would fail only when the stack is made."""
    seen = 0
    for concern in CONCERNS:
        for name, found in Stack("production", concern).of_type("AWS::IAM::Role").items():
            assert document(found["AssumeRolePolicyDocument"])["Version"] == "2012-10-17", name
            seen += 1
            for policy in found.get("Policies", ()):
                assert document(policy["PolicyDocument"])["Version"] == "2012-10-17", name
            # what AWS allows for a role's inline policies together, white space not counted
            size = sum(
                len(json.dumps(document(item["PolicyDocument"]), separators=(",", ":")))
                for item in found.get("Policies", ())
            )
            assert size <= 10240, f"{name}: {size}"
    assert seen == 10


def test_no_template_is_too_long_for_a_request() -> None:
    assert {
        path.name: path.stat().st_size for path in TEMPLATES.values() if path.stat().st_size > 51_200
    } == {}


def test_the_readme_of_a_template_is_its_description() -> None:
    for path in TEMPLATES.values():
        assert template.parse(Path(path).read_text())["Description"].startswith("Slipway: ")
