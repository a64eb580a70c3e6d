from typing import Any

import pytest

from tests.unit.standin.cloudformation.resources import lives
from tests.unit.standin.cloudformation.resources.templates import NETWORK, VPC, on_network, resource
from tests.unit.standin.cloudformation.sandbox import Sandbox, template

GATEWAY = resource("AWS::EC2::InternetGateway")
ATTACHED = {
    "Gateway": GATEWAY,
    "Attachment": resource(
        "AWS::EC2::VPCGatewayAttachment", VpcId={"Ref": "Vpc"}, InternetGatewayId={"Ref": "Gateway"}
    ),
}
TABLE = resource("AWS::EC2::RouteTable", VpcId={"Ref": "Vpc"})
ADDRESS = resource("AWS::EC2::EIP", Domain="vpc") | {"DependsOn": "Attachment"}
NAT = resource(
    "AWS::EC2::NatGateway", AllocationId={"Fn::GetAtt": ["Address", "AllocationId"]}, SubnetId={"Ref": "A"}
)
PUBLIC = resource(
    "AWS::EC2::Route",
    RouteTableId={"Ref": "Table"},
    DestinationCidrBlock="0.0.0.0/0",
    GatewayId={"Ref": "Gateway"},
) | {"DependsOn": "Attachment"}
GROUP = resource("AWS::EC2::SecurityGroup", VpcId={"Ref": "Vpc"}, GroupDescription="g")
OTHER = resource("AWS::EC2::SecurityGroup", VpcId={"Ref": "Vpc"}, GroupDescription="other")


def tags(found: Any) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in found.get("Tags", [])}


def vpc(sandbox: Sandbox, physical: str) -> Any:
    ec2 = sandbox.aws("ec2")
    found = ec2.describe_vpcs(VpcIds=[physical])["Vpcs"][0]
    names = ec2.describe_vpc_attribute(VpcId=physical, Attribute="enableDnsHostnames")["EnableDnsHostnames"][
        "Value"
    ]
    return found["CidrBlock"], names, tags(found)


def subnet(sandbox: Sandbox, physical: str) -> Any:
    found = sandbox.aws("ec2").describe_subnets(SubnetIds=[physical])["Subnets"][0]
    return found["CidrBlock"], found["AvailabilityZone"], found["MapPublicIpOnLaunch"]


def routes(sandbox: Sandbox, physical: str) -> Any:
    table, _, destination = physical.partition("|")
    found = sandbox.aws("ec2").describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]
    route = next(item for item in found if item.get("DestinationCidrBlock") == destination)
    return next(name for name in ("GatewayId", "NatGatewayId") if route.get(name))


def endpoint(sandbox: Sandbox, physical: str) -> Any:
    found = sandbox.aws("ec2").describe_vpc_endpoints(VpcEndpointIds=[physical])["VpcEndpoints"][0]
    if found["State"] == "deleted":
        return None
    return len(found.get("RouteTableIds", [])), len(found.get("SubnetIds", [])), len(found.get("Groups", []))


ENV = {"slipway:environment": "production"}
NAMED = [{"Key": "Name", "Value": "n"}]
CASES: dict[str, tuple[str, str, lives.Look, Any, dict[str, Any], Any, bool]] = {
    "vpc, in place": (template({"Vpc": VPC}), "Vpc", vpc, ("10.0.0.0/16", True, ENV), {"EnableDnsHostnames": False, "Tags": NAMED}, ("10.0.0.0/16", False, {"Name": "n", **ENV}), False),
    "vpc, replaced": (template({"Vpc": VPC}), "Vpc", vpc, ("10.0.0.0/16", True, ENV), {"CidrBlock": "10.1.0.0/16"}, ("10.1.0.0/16", True, ENV), True),
    "subnet, in place": (template(NETWORK), "A", subnet, ("10.0.0.0/24", "ap-northeast-1a", False), {"MapPublicIpOnLaunch": True}, ("10.0.0.0/24", "ap-northeast-1a", True), False),
    "subnet, replaced": (template(NETWORK), "A", subnet, ("10.0.0.0/24", "ap-northeast-1a", False), {"CidrBlock": "10.0.9.0/24"}, ("10.0.9.0/24", "ap-northeast-1a", False), True),
    "gateway": (
        template({"Gateway": GATEWAY}), "Gateway",
        lambda box, it: tags(box.aws("ec2").describe_internet_gateways(InternetGatewayIds=[it])["InternetGateways"][0]),
        ENV, {"Tags": NAMED}, {"Name": "n", **ENV}, False,
    ),
    "table": (
        on_network(Table=TABLE), "Table",
        lambda box, it: tags(box.aws("ec2").describe_route_tables(RouteTableIds=[it])["RouteTables"][0]),
        ENV, {"Tags": NAMED}, {"Name": "n", **ENV}, False,
    ),
    "route": (
        on_network(**ATTACHED, Address=ADDRESS, Nat=NAT, Table=TABLE, Route=PUBLIC), "Route", routes,
        "GatewayId", {"GatewayId": None, "NatGatewayId": {"Ref": "Nat"}}, "NatGatewayId", False,
    ),
    "address": (
        on_network(**ATTACHED, Address=ADDRESS), "Address",
        lambda box, it: tags(box.aws("ec2").describe_addresses(PublicIps=[it])["Addresses"][0]),
        ENV, {"Tags": NAMED}, {"Name": "n", **ENV}, False,
    ),
    "gateway endpoint": (
        on_network(Table=TABLE, Second=TABLE, Endpoint=resource("AWS::EC2::VPCEndpoint", VpcId={"Ref": "Vpc"}, ServiceName="com.amazonaws.ap-northeast-1.s3", VpcEndpointType="Gateway", RouteTableIds=[{"Ref": "Table"}])),
        "Endpoint", endpoint, (1, 0, 0), {"RouteTableIds": [{"Ref": "Table"}, {"Ref": "Second"}]}, (2, 0, 0), False,
    ),
    "interface endpoint": (
        on_network(Group=GROUP, Other=OTHER, Endpoint=resource(
            "AWS::EC2::VPCEndpoint", VpcId={"Ref": "Vpc"}, ServiceName="com.amazonaws.ap-northeast-1.sts", VpcEndpointType="Interface",
            PrivateDnsEnabled=True, SubnetIds=[{"Ref": "A"}], SecurityGroupIds=[{"Ref": "Group"}],
        )),
        "Endpoint", endpoint, (0, 1, 1), {"SubnetIds": [{"Ref": "A"}, {"Ref": "B"}], "SecurityGroupIds": [{"Ref": "Group"}, {"Ref": "Other"}]}, (0, 2, 2), False,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_life(sandbox: Sandbox, case: Any) -> None:
    text, logical, look, before, changes, after, replaced = case
    physical = lives.live(
        sandbox, text, logical, look=look, before=before, changes=changes, after=after, replaced=replaced
    )
    lives.die(sandbox, look, physical)


def test_a_whole_network_leaves_nothing(sandbox: Sandbox) -> None:
    association = resource(
        "AWS::EC2::SubnetRouteTableAssociation", SubnetId={"Ref": "A"}, RouteTableId={"Ref": "Table"}
    )
    text = on_network(
        **ATTACHED, Address=ADDRESS, Nat=NAT, Table=TABLE, Route=PUBLIC, Association=association
    )
    assert sandbox.deploy(text) == "CREATE_COMPLETE"
    assert sandbox.drift() == {}
    ec2 = sandbox.aws("ec2")
    made = sandbox.physical()
    assert made["Route"] == f"{made['Table']}|0.0.0.0/0"
    assert made["Attachment"] == f"IGW|{made['Vpc']}"
    associations = ec2.describe_route_tables(RouteTableIds=[made["Table"]])["RouteTables"][0]["Associations"]
    assert [item["SubnetId"] for item in associations] == [made["A"]]
    assert sandbox.delete() is None, sandbox.reasons()
    assert ec2.describe_network_interfaces()["NetworkInterfaces"] == []
    assert ec2.describe_addresses()["Addresses"] == []
    assert made["Vpc"] not in [found["VpcId"] for found in ec2.describe_vpcs()["Vpcs"]]


def test_drift_of_the_plumbing(sandbox: Sandbox) -> None:
    association = resource(
        "AWS::EC2::SubnetRouteTableAssociation", SubnetId={"Ref": "A"}, RouteTableId={"Ref": "Table"}
    )
    sandbox.deploy(on_network(**ATTACHED, Table=TABLE, Route=PUBLIC, Association=association))
    ec2, made = sandbox.aws("ec2"), sandbox.physical()
    ec2.delete_route(RouteTableId=made["Table"], DestinationCidrBlock="0.0.0.0/0")
    ec2.disassociate_route_table(AssociationId=made["Association"])
    ec2.detach_internet_gateway(InternetGatewayId=made["Gateway"], VpcId=made["Vpc"])
    assert sandbox.drift() == {name: ("DELETED", []) for name in ("Route", "Association", "Attachment")}


def test_a_gateway_is_not_detached_while_addresses_are_mapped(sandbox: Sandbox) -> None:
    sandbox.deploy(on_network(**ATTACHED))
    ec2, made = sandbox.aws("ec2"), sandbox.physical()
    interface = ec2.create_network_interface(SubnetId=made["A"])["NetworkInterface"]["NetworkInterfaceId"]
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    ec2.associate_address(AllocationId=address, NetworkInterfaceId=interface)
    assert sandbox.delete() == "DELETE_FAILED"
    assert "has some mapped public address(es)" in sandbox.reasons()["Attachment"]


@pytest.mark.parametrize("left", ["group", "gateway"])
def test_a_vpc_is_not_deleted_before_what_is_in_it(sandbox: Sandbox, left: str) -> None:
    sandbox.deploy(template({"Vpc": VPC}))
    ec2, made = sandbox.aws("ec2"), sandbox.physical()
    if left == "group":
        name = ec2.create_security_group(GroupName="x", Description="x", VpcId=made["Vpc"])["GroupId"]
    else:
        name = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        ec2.attach_internet_gateway(InternetGatewayId=name, VpcId=made["Vpc"])
    assert sandbox.delete() == "DELETE_FAILED"
    assert name in sandbox.reasons()["Vpc"]


def test_a_route_that_is_there_already(sandbox: Sandbox) -> None:
    assert (
        sandbox.deploy(
            on_network(**ATTACHED, Table=TABLE, Route=PUBLIC, Twice={**PUBLIC, "DependsOn": "Route"})
        )
        == "ROLLBACK_COMPLETE"
    )
    assert "already exists" in sandbox.reasons()["Twice"]


def test_a_second_subnet_of_the_same_range(sandbox: Sandbox) -> None:
    assert (
        sandbox.deploy(template({**NETWORK, "C": {**NETWORK["A"], "DependsOn": "A"}})) == "ROLLBACK_COMPLETE"
    )
    assert "conflicts with another subnet" in sandbox.reasons()["C"]
