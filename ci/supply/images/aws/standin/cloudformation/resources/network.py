"""EC2, the network: VPC, subnets, gateways, routes, endpoints."""

# ruff: noqa: D102 - an adapter's methods are Adapter's, and described there

import json
from typing import Any

from botocore.exceptions import ClientError

from standin.cloudformation.fault import Failure

from .adapter import Adapter, Call, document, entries, present, retag, words


def where(**filters: str) -> list[dict[str, Any]]:
    """Return EC2's filters; `vpc_id` stands for `vpc-id`."""
    return [{"Name": name.replace("_", "-"), "Values": [value]} for name, value in filters.items()]


def tag_specifications(kind: str, tags: Any) -> dict[str, Any]:
    """Return the argument that tags a resource while it is made."""
    found = entries(tags)
    return {"TagSpecifications": [{"ResourceType": kind, "Tags": found}]} if found else {}


def retag_ec2(call: Call, physical: str) -> None:
    """Bring the tags of an EC2 resource up to date."""
    ec2 = call.client("ec2")
    retag(
        call,
        lambda tags: ec2.create_tags(Resources=[physical], Tags=entries(tags)),
        lambda keys: ec2.delete_tags(Resources=[physical], Tags=[{"Key": key} for key in keys]),
    )


def one(ask: Any, key: str, **arguments: Any) -> dict[str, Any] | None:
    """Return the one thing that `ask` finds, or None; EC2 has an error of its own for each kind."""
    try:
        found = ask(**arguments)[key]
    except ClientError as error:
        if (
            "NotFound" in error.response["Error"]["Code"]
            or "InvalidRouteTableId" in error.response["Error"]["Code"]
        ):
            return None
        raise
    return found[0] if found else None


def blocked(call: Call, kind: str, **filters: str) -> None:
    """Refuse a deletion while network interfaces are left, as EC2 does and moto does not."""
    interfaces = call.client("ec2").describe_network_interfaces(Filters=where(**filters))["NetworkInterfaces"]
    if interfaces:
        names = ", ".join(interface["NetworkInterfaceId"] for interface in interfaces)
        raise Failure(
            f"The {kind} '{call.physical}' has dependencies and cannot be deleted. (Error Code: DependencyViolation; "
            f"network interfaces: {names})"
        )


class Vpc(Adapter):
    """AWS::EC2::VPC."""

    type = "AWS::EC2::VPC"
    properties = words("CidrBlock EnableDnsHostnames EnableDnsSupport InstanceTenancy Tags")

    def create(self, call: Call) -> str:
        wanted = call.properties
        ec2 = call.client("ec2")
        tags = tag_specifications("vpc", wanted.get("Tags"))
        physical: str = ec2.create_vpc(**call.pick("CidrBlock", "InstanceTenancy"), **tags)["Vpc"]["VpcId"]
        call.started(physical)
        self._attributes(call, physical)
        return physical

    def update(self, call: Call) -> None:
        self._attributes(call, call.physical)
        retag_ec2(call, call.physical)

    def delete(self, call: Call) -> None:
        blocked(call, "vpc", vpc_id=call.physical)
        ec2 = call.client("ec2")
        gateways = ec2.describe_internet_gateways(Filters=where(**{"attachment.vpc-id": call.physical}))[
            "InternetGateways"
        ]
        groups = ec2.describe_security_groups(Filters=where(vpc_id=call.physical))["SecurityGroups"]
        left = [group["GroupId"] for group in groups if group["GroupName"] != "default"]
        left += [gateway["InternetGatewayId"] for gateway in gateways]
        if left:
            raise Failure(
                f"The vpc '{call.physical}' has dependencies and cannot be deleted. (Error Code: DependencyViolation; {', '.join(left)})"
            )
        ec2.delete_vpc(VpcId=call.physical)

    def read(self, call: Call) -> dict[str, Any] | None:
        ec2 = call.client("ec2")
        vpc = one(ec2.describe_vpcs, "Vpcs", VpcIds=[call.physical])
        if vpc is None:
            return None

        def attribute(name: str) -> bool:
            answer = ec2.describe_vpc_attribute(VpcId=call.physical, Attribute=name[0].lower() + name[1:])
            return bool(answer[name]["Value"])

        groups = ec2.describe_security_groups(Filters=where(vpc_id=call.physical, group_name="default"))[
            "SecurityGroups"
        ]
        acls = ec2.describe_network_acls(Filters=where(vpc_id=call.physical, default="true"))["NetworkAcls"]
        return {
            "VpcId": call.physical,
            "CidrBlock": vpc["CidrBlock"],
            "InstanceTenancy": vpc["InstanceTenancy"],
            "EnableDnsHostnames": attribute("EnableDnsHostnames"),
            "EnableDnsSupport": attribute("EnableDnsSupport"),
            "DefaultSecurityGroup": groups[0]["GroupId"] if groups else None,
            "DefaultNetworkAcl": acls[0]["NetworkAclId"] if acls else None,
            "Tags": entries(vpc.get("Tags")),
        }

    def _attributes(self, call: Call, physical: str) -> None:
        defaults = {"EnableDnsHostnames": False, "EnableDnsSupport": True}
        for name, default in defaults.items():
            value = call.properties.get(name, default)
            if value != call.previous.get(name, default):
                call.client("ec2").modify_vpc_attribute(VpcId=physical, **{name: {"Value": value}})


class Subnet(Adapter):
    """AWS::EC2::Subnet."""

    type = "AWS::EC2::Subnet"
    properties = words("VpcId CidrBlock AvailabilityZone MapPublicIpOnLaunch Tags")

    def create(self, call: Call) -> str:
        ec2 = call.client("ec2")
        tags = tag_specifications("subnet", call.properties.get("Tags"))
        answer = ec2.create_subnet(**call.pick("VpcId", "CidrBlock", "AvailabilityZone"), **tags)
        physical: str = answer["Subnet"]["SubnetId"]
        call.started(physical)
        self._public(call, physical)
        return physical

    def update(self, call: Call) -> None:
        self._public(call, call.physical)
        retag_ec2(call, call.physical)

    def delete(self, call: Call) -> None:
        blocked(call, "subnet", subnet_id=call.physical)
        for instance in call.client("rds").describe_db_instances()["DBInstances"]:
            subnets = [
                item["SubnetIdentifier"] for item in instance.get("DBSubnetGroup", {}).get("Subnets", [])
            ]
            if call.physical in subnets:
                raise Failure(
                    f"The subnet '{call.physical}' has dependencies and cannot be deleted. (Error Code: "
                    f"DependencyViolation; database instance: {instance['DBInstanceIdentifier']})"
                )
        call.client("ec2").delete_subnet(SubnetId=call.physical)

    def read(self, call: Call) -> dict[str, Any] | None:
        subnet = one(call.client("ec2").describe_subnets, "Subnets", SubnetIds=[call.physical])
        if subnet is None:
            return None
        kept = ("SubnetId", "VpcId", "CidrBlock", "AvailabilityZone", "MapPublicIpOnLaunch")
        return {name: subnet[name] for name in kept} | {"Tags": entries(subnet.get("Tags"))}

    def _public(self, call: Call, physical: str) -> None:
        value = call.properties.get("MapPublicIpOnLaunch", False)
        if value != call.previous.get("MapPublicIpOnLaunch", False):
            call.client("ec2").modify_subnet_attribute(
                SubnetId=physical, MapPublicIpOnLaunch={"Value": value}
            )


class InternetGateway(Adapter):
    """AWS::EC2::InternetGateway."""

    type = "AWS::EC2::InternetGateway"
    properties = words("Tags")

    def create(self, call: Call) -> str:
        tags = tag_specifications("internet-gateway", call.properties.get("Tags"))
        return str(call.client("ec2").create_internet_gateway(**tags)["InternetGateway"]["InternetGatewayId"])

    def update(self, call: Call) -> None:
        retag_ec2(call, call.physical)

    def delete(self, call: Call) -> None:
        call.client("ec2").delete_internet_gateway(InternetGatewayId=call.physical)

    def read(self, call: Call) -> dict[str, Any] | None:
        found = one(
            call.client("ec2").describe_internet_gateways,
            "InternetGateways",
            InternetGatewayIds=[call.physical],
        )
        return found and {"InternetGatewayId": call.physical, "Tags": entries(found.get("Tags"))}


class GatewayAttachment(Adapter):
    """AWS::EC2::VPCGatewayAttachment of an internet gateway."""

    type = "AWS::EC2::VPCGatewayAttachment"
    properties = words("VpcId InternetGatewayId")
    replaces = words("InternetGatewayId")

    def create(self, call: Call) -> str:
        wanted = call.pick("VpcId", "InternetGatewayId")
        call.client("ec2").attach_internet_gateway(**wanted)
        return f"IGW|{wanted['VpcId']}"

    def delete(self, call: Call) -> None:
        ec2 = call.client("ec2")
        interfaces = ec2.describe_network_interfaces(Filters=where(vpc_id=call.properties["VpcId"]))[
            "NetworkInterfaces"
        ]
        if any(interface.get("Association", {}).get("PublicIp") for interface in interfaces):
            raise Failure(
                f"Network {call.properties['VpcId']} has some mapped public address(es). Please unmap those public "
                "address(es) before detaching the gateway. (Error Code: DependencyViolation)"
            )
        ec2.detach_internet_gateway(**call.pick("VpcId", "InternetGatewayId"))

    def read(self, call: Call) -> dict[str, Any] | None:
        wanted = call.pick("VpcId", "InternetGatewayId")
        found = one(
            call.client("ec2").describe_internet_gateways,
            "InternetGateways",
            InternetGatewayIds=[wanted["InternetGatewayId"]],
        )
        attached = found and any(item["VpcId"] == wanted["VpcId"] for item in found["Attachments"])
        return wanted | {"AttachmentType": "IGW"} if attached else None


class RouteTable(Adapter):
    """AWS::EC2::RouteTable."""

    type = "AWS::EC2::RouteTable"
    properties = words("VpcId Tags")

    def create(self, call: Call) -> str:
        tags = tag_specifications("route-table", call.properties.get("Tags"))
        answer = call.client("ec2").create_route_table(VpcId=call.properties["VpcId"], **tags)
        return str(answer["RouteTable"]["RouteTableId"])

    def update(self, call: Call) -> None:
        retag_ec2(call, call.physical)

    def delete(self, call: Call) -> None:
        call.client("ec2").delete_route_table(RouteTableId=call.physical)

    def read(self, call: Call) -> dict[str, Any] | None:
        found = table(call, call.physical)
        return found and {
            "RouteTableId": call.physical,
            "VpcId": found["VpcId"],
            "Tags": entries(found.get("Tags")),
        }


def table(call: Call, physical: str) -> dict[str, Any] | None:
    """Return a route table as EC2 tells it."""
    return one(call.client("ec2").describe_route_tables, "RouteTables", RouteTableIds=[physical])


class Route(Adapter):
    """AWS::EC2::Route to an internet or NAT gateway."""

    type = "AWS::EC2::Route"
    properties = words("RouteTableId DestinationCidrBlock GatewayId NatGatewayId")

    def create(self, call: Call) -> str:
        wanted = call.pick(*self.properties)
        if self.read(call) is not None:
            raise Failure(
                f"The route identified by {wanted['DestinationCidrBlock']} already exists. (Error Code: RouteAlreadyExists)"
            )
        call.client("ec2").create_route(**wanted)
        return f"{wanted['RouteTableId']}|{wanted['DestinationCidrBlock']}"

    def update(self, call: Call) -> None:
        call.client("ec2").replace_route(**call.pick(*self.properties))

    def delete(self, call: Call) -> None:
        call.client("ec2").delete_route(**call.pick("RouteTableId", "DestinationCidrBlock"))

    def read(self, call: Call) -> dict[str, Any] | None:
        wanted = call.pick("RouteTableId", "DestinationCidrBlock")
        found = table(call, wanted["RouteTableId"])
        for route in found["Routes"] if found else ():
            if route.get("DestinationCidrBlock") == wanted["DestinationCidrBlock"]:
                live = {name: route.get(name) for name in ("GatewayId", "NatGatewayId")}
                return wanted | present(live) | {"CidrBlock": wanted["DestinationCidrBlock"]}
        return None


class RouteTableAssociation(Adapter):
    """AWS::EC2::SubnetRouteTableAssociation."""

    type = "AWS::EC2::SubnetRouteTableAssociation"
    properties = words("SubnetId RouteTableId")

    def create(self, call: Call) -> str:
        return str(call.client("ec2").associate_route_table(**call.pick(*self.properties))["AssociationId"])

    def delete(self, call: Call) -> None:
        call.client("ec2").disassociate_route_table(AssociationId=call.physical)

    def read(self, call: Call) -> dict[str, Any] | None:
        found = table(call, call.properties["RouteTableId"])
        for item in found["Associations"] if found else ():
            if item["RouteTableAssociationId"] == call.physical:
                return {
                    "Id": call.physical,
                    "SubnetId": item.get("SubnetId"),
                    "RouteTableId": item["RouteTableId"],
                }
        return None


class Eip(Adapter):
    """AWS::EC2::EIP; Ref is the address."""

    type = "AWS::EC2::EIP"
    properties = words("Domain Tags")

    def create(self, call: Call) -> str:
        tags = tag_specifications("elastic-ip", call.properties.get("Tags"))
        return str(call.client("ec2").allocate_address(Domain="vpc", **tags)["PublicIp"])

    def update(self, call: Call) -> None:
        found = self._found(call)
        assert found is not None
        retag_ec2(call, found["AllocationId"])

    def delete(self, call: Call) -> None:
        found = self._found(call)
        assert found is not None
        if found.get("AssociationId"):
            raise Failure(f"Address {call.physical} is in use. (Error Code: InvalidIPAddress.InUse)")
        call.client("ec2").release_address(AllocationId=found["AllocationId"])

    def read(self, call: Call) -> dict[str, Any] | None:
        found = self._found(call)
        return found and {
            "PublicIp": found["PublicIp"],
            "AllocationId": found["AllocationId"],
            "Domain": found["Domain"],
            "Tags": entries(found.get("Tags")),
        }

    def _found(self, call: Call) -> dict[str, Any] | None:
        return one(call.client("ec2").describe_addresses, "Addresses", Filters=where(public_ip=call.physical))


class NatGateway(Adapter):
    """AWS::EC2::NatGateway."""

    type = "AWS::EC2::NatGateway"
    properties = words("AllocationId SubnetId ConnectivityType Tags")

    def create(self, call: Call) -> str:
        wanted = call.pick("AllocationId", "SubnetId", "ConnectivityType")
        answer = call.client("ec2").create_nat_gateway(
            **wanted, **tag_specifications("natgateway", call.properties.get("Tags"))
        )
        return str(answer["NatGateway"]["NatGatewayId"])

    def update(self, call: Call) -> None:
        retag_ec2(call, call.physical)

    def delete(self, call: Call) -> None:
        found = self._found(call)
        assert found is not None
        ec2 = call.client("ec2")
        ec2.delete_nat_gateway(NatGatewayId=call.physical)
        for address in found["NatGatewayAddresses"]:  # moto leaves these behind
            if address.get("AssociationId"):
                ec2.disassociate_address(AssociationId=address["AssociationId"])
            ec2.delete_network_interface(NetworkInterfaceId=address["NetworkInterfaceId"])

    def read(self, call: Call) -> dict[str, Any] | None:
        found = self._found(call)
        if found is None:
            return None
        address = found["NatGatewayAddresses"][0]
        return present(
            {
                "NatGatewayId": call.physical,
                "SubnetId": found["SubnetId"],
                "AllocationId": address.get("AllocationId"),
                "ConnectivityType": found.get("ConnectivityType"),
                "EniId": address["NetworkInterfaceId"],
                "Tags": entries(found.get("Tags")),
            }
        )

    def _found(self, call: Call) -> dict[str, Any] | None:
        found = one(call.client("ec2").describe_nat_gateways, "NatGateways", NatGatewayIds=[call.physical])
        return found if found and found["State"] != "deleted" else None


class VpcEndpoint(Adapter):
    """AWS::EC2::VPCEndpoint, gateway or interface."""

    type = "AWS::EC2::VPCEndpoint"
    properties = words(
        "VpcId ServiceName VpcEndpointType RouteTableIds SubnetIds SecurityGroupIds PrivateDnsEnabled PolicyDocument Tags"
    )
    replaces = words("PrivateDnsEnabled")  # in AWS an update in place; moto cannot change it

    def create(self, call: Call) -> str:
        wanted = call.pick(*(self.properties - {"Tags", "PolicyDocument"}))
        if "PolicyDocument" in call.properties:
            wanted["PolicyDocument"] = document(call.properties["PolicyDocument"])
        tags = tag_specifications("vpc-endpoint", call.properties.get("Tags"))
        return str(call.client("ec2").create_vpc_endpoint(**wanted, **tags)["VpcEndpoint"]["VpcEndpointId"])

    def update(self, call: Call) -> None:
        arguments: dict[str, Any] = {}
        for name in ("RouteTableIds", "SubnetIds", "SecurityGroupIds"):
            old, new = call.previous.get(name, []), call.properties.get(name, [])
            arguments |= present(
                {
                    f"Add{name}": [item for item in new if item not in old],
                    f"Remove{name}": [item for item in old if item not in new],
                }
            )
        if call.changed("PolicyDocument"):
            arguments["PolicyDocument"] = document(call.properties.get("PolicyDocument", ""))
        if arguments:
            call.client("ec2").modify_vpc_endpoint(VpcEndpointId=call.physical, **arguments)
            self._routes(call, arguments)
        retag_ec2(call, call.physical)

    def _routes(self, call: Call, arguments: dict[str, Any]) -> None:
        """Do what moto leaves out: a gateway endpoint is a route in each of its tables."""
        ec2 = call.client("ec2")
        name = where(prefix_list_name=call.properties["ServiceName"])
        for prefix in ec2.describe_managed_prefix_lists(Filters=name)["PrefixLists"]:
            route = {"DestinationPrefixListId": prefix["PrefixListId"]}
            for table_id in arguments.get("AddRouteTableIds", []):
                ec2.create_route(RouteTableId=table_id, GatewayId=call.physical, **route)
            for table_id in arguments.get("RemoveRouteTableIds", []):
                ec2.delete_route(RouteTableId=table_id, **route)

    def delete(self, call: Call) -> None:
        call.client("ec2").delete_vpc_endpoints(VpcEndpointIds=[call.physical])

    def read(self, call: Call) -> dict[str, Any] | None:
        found = one(call.client("ec2").describe_vpc_endpoints, "VpcEndpoints", VpcEndpointIds=[call.physical])
        if found is None or found["State"] == "deleted":
            return None
        kept = ("VpcId", "ServiceName", "VpcEndpointType", "RouteTableIds", "SubnetIds", "PrivateDnsEnabled")
        return {name: found[name] for name in kept if name in found} | {
            "Id": call.physical,
            "SecurityGroupIds": [group["GroupId"] for group in found.get("Groups", [])],
            "PolicyDocument": json.loads(found["PolicyDocument"]),
            "NetworkInterfaceIds": found.get("NetworkInterfaceIds", []),
            "Tags": entries(found.get("Tags")),
        }


ADAPTERS: tuple[Adapter, ...] = (
    Vpc(), Subnet(), InternetGateway(), GatewayAttachment(), RouteTable(), Route(), RouteTableAssociation(), Eip(),
    NatGateway(), VpcEndpoint(),
)  # fmt: skip
