from tests.integration.infra.conftest import Account


def test_a_property_changed_by_hand_is_shown(standing: Account) -> None:
    standing.clients("ecr").put_image_tag_mutability(repositoryName="eks-app", imageTagMutability="MUTABLE")
    (found,) = standing.drift()
    assert (found.stack, found.resource, found.property) == (
        "slipway-production-registry", "App", "/ImageTagMutability",
    )  # fmt: skip
    assert (found.expected, found.actual) == ("IMMUTABLE", "MUTABLE")
    standing.clients("ecr").put_image_tag_mutability(repositoryName="eks-app", imageTagMutability="IMMUTABLE")
    assert standing.drift() == []


def test_a_rule_added_by_hand_to_the_database_s_security_group_is_shown(standing: Account) -> None:
    ec2 = standing.clients("ec2")
    (group,) = ec2.describe_security_groups(
        Filters=[{"Name": "tag:slipway:stack", "Values": ["slipway-production-database"]}]
    )["SecurityGroups"]
    rule = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.authorize_security_group_ingress(GroupId=group["GroupId"], IpPermissions=[rule])
    found = standing.drift()
    assert {(row.stack, row.resource) for row in found} == {("slipway-production-database", "SecurityGroup")}
    assert any("0.0.0.0/0" in row.actual for row in found)
    ec2.revoke_security_group_ingress(GroupId=group["GroupId"], IpPermissions=[rule])
    assert standing.drift() == []


def test_a_resource_removed_by_hand_is_shown(standing: Account) -> None:
    standing.clients("ecr").delete_repository(repositoryName="eks-web")
    (found,) = standing.drift()
    assert (found.resource, found.status, found.type) == ("Web", "DELETED", "AWS::ECR::Repository")


def test_what_is_not_standing_is_said(production: Account) -> None:
    assert {row.status for row in production.drift()} == {"NOT_DEPLOYED"}
    assert len(production.drift()) == 7
