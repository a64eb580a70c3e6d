import hashlib
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.unit.standin.cloudformation.resources import lives
from tests.unit.standin.cloudformation.resources.templates import NETWORK, SUBNETS, resource, role
from tests.unit.standin.cloudformation.sandbox import Sandbox, change, changed, template

CLUSTER_POLICY = "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"
ADMIN = {
    "PolicyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
    "AccessScope": {"Type": "cluster"},
}
VIEW = {
    "PolicyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy",
    "AccessScope": {"Type": "namespace", "Namespaces": ["main"]},
}
CLUSTER = resource(
    "AWS::EKS::Cluster",
    Name="slipway-test",
    Version="1.34",
    RoleArn={"Fn::GetAtt": ["Role", "Arn"]},
    ResourcesVpcConfig={"SubnetIds": SUBNETS, "EndpointPrivateAccess": True, "EndpointPublicAccess": True, "PublicAccessCidrs": ["203.0.113.0/24"]},
    AccessConfig={"AuthenticationMode": "API", "BootstrapClusterCreatorAdminPermissions": True},
    BootstrapSelfManagedAddons=False,
    DeletionProtection=False,
    EncryptionConfig=[{"Provider": {"KeyArn": {"Fn::GetAtt": ["Key", "Arn"]}}, "Resources": ["secrets"]}],
    Logging={"ClusterLogging": {"EnabledTypes": [{"Type": "api"}, {"Type": "audit"}]}},
    UpgradePolicy={"SupportType": "STANDARD"},
)  # fmt: skip
PARTS = {
    **NETWORK,
    "Key": resource("AWS::KMS::Key", EnableKeyRotation=True),
    "Role": role("eks.amazonaws.com", ManagedPolicyArns=[CLUSTER_POLICY]),
    "NodeRole": role(),
    "Template": resource("AWS::EC2::LaunchTemplate", LaunchTemplateData={"MetadataOptions": {"HttpTokens": "required"}}),
    "Cluster": CLUSTER,
    "Nodes": resource(
        "AWS::EKS::Nodegroup",
        ClusterName={"Ref": "Cluster"},
        NodeRole={"Fn::GetAtt": ["NodeRole", "Arn"]},
        Subnets=SUBNETS,
        AmiType="AL2023_x86_64_STANDARD",
        CapacityType="ON_DEMAND",
        InstanceTypes=["m7i.large"],
        ScalingConfig={"MinSize": 1, "MaxSize": 4, "DesiredSize": 2},
        UpdateConfig={"MaxUnavailable": 1},
        LaunchTemplate={"Id": {"Ref": "Template"}, "Version": {"Fn::GetAtt": ["Template", "LatestVersionNumber"]}},
        Version="1.34",
        Labels={"role": "main"},
        Tags={"own": "1"},
    ),
    "Addon": resource("AWS::EKS::Addon", ClusterName={"Ref": "Cluster"}, AddonName="coredns", AddonVersion="v1.12.4-eksbuild.1", ResolveConflicts="OVERWRITE"),
    "Entry": resource("AWS::EKS::AccessEntry", ClusterName={"Ref": "Cluster"}, PrincipalArn={"Fn::GetAtt": ["NodeRole", "Arn"]}, Type="STANDARD", AccessPolicies=[ADMIN]),
}  # fmt: skip
OUTPUTS = {
    name: {"Fn::GetAtt": ["Cluster", name]}
    for name in (
        "Arn",
        "Endpoint",
        "CertificateAuthorityData",
        "OpenIdConnectIssuerUrl",
        "ClusterSecurityGroupId",
        "EncryptionConfigKeyArn",
    )
}
WHOLE = template(PARTS, OUTPUTS)
ONLY_CLUSTER = template({name: PARTS[name] for name in (*NETWORK, "Key", "Role", "Cluster")}, OUTPUTS)


def cluster(box: Sandbox, name: str) -> Any:
    return box.aws("eks").describe_cluster(name=name)["cluster"]


def nodegroup(box: Sandbox, physical: str) -> Any:
    name, _, group = physical.partition("/")
    found = box.aws("eks").describe_nodegroup(clusterName=name, nodegroupName=group)["nodegroup"]
    return (
        found["scalingConfig"]["desiredSize"],
        found["launchTemplate"]["version"],
        found["labels"],
        found["tags"],
    )


def addon(box: Sandbox, physical: str) -> Any:
    name, _, owner = physical.partition("|")
    found = box.aws("eks").describe_addon(clusterName=owner, addonName=name)["addon"]
    return found["addonVersion"], found["status"], found["tags"]


def entry(box: Sandbox, physical: str) -> Any:
    principal, _, owner = physical.partition("|")
    names = {"clusterName": owner, "principalArn": principal}
    found = box.aws("eks").list_associated_access_policies(**names)["associatedAccessPolicies"]
    return [(item["policyArn"].rpartition("/")[2], item["accessScope"]["type"]) for item in found]


def test_cluster_outputs(sandbox: Sandbox) -> None:
    assert sandbox.deploy(ONLY_CLUSTER) == "CREATE_COMPLETE", sandbox.reasons()
    digest = (
        hashlib.sha256(f"{sandbox.account}/{sandbox.region}/slipway-test".encode()).hexdigest()[:32].upper()
    )
    found, live = sandbox.outputs(), cluster(sandbox, "slipway-test")
    assert found["OpenIdConnectIssuerUrl"] == f"https://oidc.eks.{sandbox.region}.amazonaws.com/id/{digest}"
    assert live["identity"]["oidc"]["issuer"] == found["OpenIdConnectIssuerUrl"]
    assert (
        found["Arn"] == live["arn"] == f"arn:aws:eks:{sandbox.region}:{sandbox.account}:cluster/slipway-test"
    )
    assert found["Endpoint"] == live["endpoint"]
    assert found["CertificateAuthorityData"] == live["certificateAuthority"]["data"]
    assert found["EncryptionConfigKeyArn"].endswith(sandbox.physical()["Key"])
    group = sandbox.aws("ec2").describe_security_groups(GroupIds=[found["ClusterSecurityGroupId"]])[
        "SecurityGroups"
    ][0]
    assert (group["GroupName"], group["VpcId"]) == ("eks-cluster-sg-slipway-test", sandbox.physical()["Vpc"])
    interfaces = sandbox.aws("ec2").describe_network_interfaces()["NetworkInterfaces"]
    assert [item["Description"] for item in interfaces] == ["Amazon EKS slipway-test"] * 2
    assert sandbox.delete() is None, sandbox.reasons()
    assert sandbox.aws("ec2").describe_network_interfaces()["NetworkInterfaces"] == []


IN_PLACE: dict[str, tuple[dict[str, Any], Any]] = {
    "version": ({"Version": "1.35"}, lambda found: found["version"] == "1.35"),
    "addresses": (
        {
            "ResourcesVpcConfig": {
                **CLUSTER["Properties"]["ResourcesVpcConfig"],
                "PublicAccessCidrs": ["198.51.100.0/24"],
            }
        },
        lambda found: (
            found["resourcesVpcConfig"]["publicAccessCidrs"] == ["198.51.100.0/24"]
            and found["resourcesVpcConfig"]["vpcId"].startswith("vpc-")
        ),
    ),
    "mode": (
        {
            "AccessConfig": {
                "AuthenticationMode": "API_AND_CONFIG_MAP",
                "BootstrapClusterCreatorAdminPermissions": True,
            }
        },
        lambda found: found["accessConfig"]["authenticationMode"] == "API_AND_CONFIG_MAP",
    ),
    "logging": (
        {"Logging": {"ClusterLogging": {"EnabledTypes": [{"Type": "scheduler"}]}}},
        lambda found: (
            [item["types"] for item in found["logging"]["clusterLogging"] if item["enabled"]]
            == [["scheduler"]]
        ),
    ),
    "support": (
        {"UpgradePolicy": {"SupportType": "EXTENDED"}},
        lambda found: found["upgradePolicy"] == {"supportType": "EXTENDED"},
    ),
    "protection": ({"DeletionProtection": True}, lambda found: found["deletionProtection"] is True),
    "tags": ({"Tags": [{"Key": "a", "Value": "b"}]}, lambda found: found["tags"] == {"a": "b", **lives.TAGS}),
}


def test_cluster_in_place(sandbox: Sandbox) -> None:
    assert sandbox.deploy(ONLY_CLUSTER, tags=lives.TAGS) == "CREATE_COMPLETE"
    arn, text = cluster(sandbox, "slipway-test")["arn"], ONLY_CLUSTER
    for name, (changes, holds) in IN_PLACE.items():
        assert not holds(cluster(sandbox, "slipway-test")), name
        text = changed(text, "Cluster", **changes)
        assert sandbox.deploy(text) == "UPDATE_COMPLETE", (name, sandbox.reasons())
        assert holds(cluster(sandbox, "slipway-test")), name
        assert sandbox.drift() == {}, name
    assert cluster(sandbox, "slipway-test")["arn"] == arn


def test_cluster_replaced(sandbox: Sandbox) -> None:
    def look(box: Sandbox, name: str) -> Any:
        return cluster(box, name)["name"]

    lives.live(
        sandbox,
        ONLY_CLUSTER,
        "Cluster",
        look=look,
        before="slipway-test",
        changes={"Name": "other"},
        after="other",
        replaced=True,
    )


@pytest.mark.parametrize(("wanted", "reason"), [("1.36", "from 1.34 to 1.36"), ("1.33", "from 1.34 to 1.33")])
def test_versions_that_eks_refuses(sandbox: Sandbox, wanted: str, reason: str) -> None:
    sandbox.deploy(ONLY_CLUSTER)
    assert sandbox.deploy(changed(ONLY_CLUSTER, "Cluster", Version=wanted)) == "UPDATE_ROLLBACK_COMPLETE"
    assert reason in sandbox.reasons()["Cluster"]
    assert cluster(sandbox, "slipway-test")["version"] == "1.34"


def test_a_protected_cluster_stays(sandbox: Sandbox) -> None:
    sandbox.deploy(changed(ONLY_CLUSTER, "Cluster", DeletionProtection=True))
    assert sandbox.delete() == "DELETE_FAILED"
    assert "has deletion protection enabled" in sandbox.reasons()["Cluster"]


def test_subnets_in_one_zone(sandbox: Sandbox) -> None:
    text = changed(ONLY_CLUSTER, "Cluster", ResourcesVpcConfig={"SubnetIds": [{"Ref": "A"}]})
    assert sandbox.deploy(text) == "ROLLBACK_COMPLETE"
    assert "at least two different AZs" in sandbox.reasons()["Cluster"]


def test_nodegroup(sandbox: Sandbox) -> None:
    tags = {"own": "1", **lives.TAGS}
    changes = {
        "ScalingConfig": {"MinSize": 1, "MaxSize": 4, "DesiredSize": 3},
        "Labels": {"pool": "x"},
        "Tags": {"own": "2"},
    }
    physical = lives.live(
        sandbox, WHOLE, "Nodes", look=nodegroup, before=(2, "1", {"role": "main"}, tags),
        changes=changes, after=(3, "1", {"pool": "x"}, {**tags, "own": "2"}),
    )  # fmt: skip
    assert physical.startswith("slipway-test/stack-Nodes-")
    lives.die(sandbox, nodegroup, physical)


def test_nodegroup_replaced(sandbox: Sandbox) -> None:
    before = (2, "1", {"role": "main"}, {"own": "1", **lives.TAGS})
    lives.live(
        sandbox,
        WHOLE,
        "Nodes",
        look=nodegroup,
        before=before,
        changes={"InstanceTypes": ["m7i.xlarge"]},
        after=before,
        replaced=True,
    )


def test_nodegroup_follows_its_launch_template(sandbox: Sandbox) -> None:
    sandbox.deploy(WHOLE)
    found = sandbox.propose(
        changed(WHOLE, "Template", LaunchTemplateData={"MetadataOptions": {"HttpTokens": "optional"}})
    )
    detail = change(found, "Nodes")["Details"][0]
    assert (detail["ChangeSource"], detail["CausingEntity"]) == (
        "ResourceAttribute",
        "Template.LatestVersionNumber",
    )
    sandbox.cloudformation.execute_change_set(StackName="stack", ChangeSetName="proposed")
    assert nodegroup(sandbox, sandbox.physical()["Nodes"])[1] == "2"
    assert sandbox.drift() == {}


def test_addon(sandbox: Sandbox) -> None:
    physical = lives.live(
        sandbox, WHOLE, "Addon", look=addon, before=("v1.12.4-eksbuild.1", "ACTIVE", lives.TAGS),
        changes={"AddonVersion": "v1.13.2-eksbuild.1"}, after=("v1.13.2-eksbuild.1", "ACTIVE", lives.TAGS),
    )  # fmt: skip
    assert sandbox.aws("eks").list_addons(clusterName="slipway-test")["addons"] == ["coredns"]
    sandbox.aws("eks").delete_addon(clusterName="slipway-test", addonName="coredns")
    assert sandbox.drift() == {"Addon": ("DELETED", [])}
    lives.die(sandbox, addon, physical)


def test_access_entry(sandbox: Sandbox) -> None:
    physical = lives.live(
        sandbox, WHOLE, "Entry", look=entry, before=[("AmazonEKSClusterAdminPolicy", "cluster")],
        changes={"AccessPolicies": [VIEW]}, after=[("AmazonEKSViewPolicy", "namespace")],
    )  # fmt: skip
    eks = sandbox.aws("eks")
    principal = physical.partition("|")[0]
    assert eks.list_access_entries(clusterName="slipway-test")["accessEntries"] == [principal]
    eks.disassociate_access_policy(
        clusterName="slipway-test", principalArn=principal, policyArn=VIEW["PolicyArn"]
    )
    assert sandbox.drift() == {"Entry": ("MODIFIED", [("/AccessPolicies/0", "REMOVE")])}
    lives.die(sandbox, entry, physical)


def test_access_entries_need_the_mode(sandbox: Sandbox) -> None:
    text = changed(WHOLE, "Cluster", AccessConfig={"AuthenticationMode": "CONFIG_MAP"})
    assert sandbox.deploy(text) == "ROLLBACK_COMPLETE"
    assert "authentication mode must be set to one of [API, API_AND_CONFIG_MAP]" in sandbox.reasons()["Entry"]


def test_the_api_refuses_what_is_not_there(sandbox: Sandbox) -> None:
    sandbox.deploy(ONLY_CLUSTER)
    eks = sandbox.aws("eks")
    for call, more in (
        (eks.describe_addon, {"addonName": "x"}),
        (eks.describe_access_entry, {"principalArn": "arn:aws:iam::1:role/x"}),
    ):
        with pytest.raises(ClientError) as raised:
            call(clusterName="slipway-test", **more)
        assert raised.value.response["Error"]["Code"] == "ResourceNotFoundException"
