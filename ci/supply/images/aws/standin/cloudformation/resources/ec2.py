"""EC2, the rest: security groups, their rules, launch templates."""

# ruff: noqa: D102 - an adapter's methods are Adapter's, and described there

from typing import Any

from botocore.exceptions import ClientError

from standin.cloudformation.fault import Failure

from .adapter import Adapter, Call, Properties, entries, present, words
from .network import one, retag_ec2, tag_specifications

ANYTHING = {"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}
"""The rule that EC2 gives every new group, and CloudFormation takes away when a template names its own."""

PEERS = words(
    "SourceSecurityGroupId DestinationSecurityGroupId SourcePrefixListId DestinationPrefixListId CidrIp CidrIpv6"
)


def permission(rule: Properties) -> dict[str, Any]:
    """Turn CloudFormation's rule into EC2's permission."""
    words_ = {"Description": rule["Description"]} if "Description" in rule else {}
    group = rule.get("SourceSecurityGroupId") or rule.get("DestinationSecurityGroupId")
    prefix = rule.get("SourcePrefixListId") or rule.get("DestinationPrefixListId")
    found: dict[str, Any] = present(
        {
            "IpProtocol": str(rule["IpProtocol"]),
            "FromPort": rule.get("FromPort"),
            "ToPort": rule.get("ToPort"),
        }
    )
    if group:
        found["UserIdGroupPairs"] = [{"GroupId": group, **words_}]
    elif prefix:
        found["PrefixListIds"] = [{"PrefixListId": prefix, **words_}]
    elif "CidrIpv6" in rule:
        found["Ipv6Ranges"] = [{"CidrIpv6": rule["CidrIpv6"], **words_}]
    elif "CidrIp" in rule:
        found["IpRanges"] = [{"CidrIp": rule["CidrIp"], **words_}]
    else:
        raise Failure(
            "A rule needs a CIDR, a security group or a prefix list. (Error Code: InvalidParameterValue)"
        )
    return found


def rules(permissions: list[dict[str, Any]], side: str) -> list[dict[str, Any]]:
    """Turn EC2's permissions into CloudFormation's rules; `side` is Source or Destination."""
    found = []
    for item in permissions:
        base = present(
            {"IpProtocol": item["IpProtocol"], "FromPort": item.get("FromPort"), "ToPort": item.get("ToPort")}
        )
        if item["IpProtocol"] == "-1":
            base = {"IpProtocol": "-1"}
        for key, source, target in (
            ("IpRanges", "CidrIp", "CidrIp"),
            ("Ipv6Ranges", "CidrIpv6", "CidrIpv6"),
            ("UserIdGroupPairs", "GroupId", f"{side}SecurityGroupId"),
            ("PrefixListIds", "PrefixListId", f"{side}PrefixListId"),
        ):
            found += [
                base | {target: peer[source]} | present({"Description": peer.get("Description")})
                for peer in item.get(key, [])
            ]
    return found


def alike(left: Properties, right: Properties) -> bool:
    """Tell whether two rules open the same thing, whatever their descriptions say."""
    names = words("IpProtocol FromPort ToPort") | PEERS
    return all(str(left.get(name)) == str(right.get(name)) for name in names)


class SecurityGroup(Adapter):
    """AWS::EC2::SecurityGroup with rules of its own; those of separate resources are not touched."""

    type = "AWS::EC2::SecurityGroup"
    properties = words("VpcId GroupDescription GroupName SecurityGroupIngress SecurityGroupEgress Tags")

    def create(self, call: Call) -> str:
        ec2, wanted = call.client("ec2"), call.properties
        physical: str = ec2.create_security_group(
            GroupName=wanted.get("GroupName") or call.name(255),
            Description=wanted["GroupDescription"],
            VpcId=wanted["VpcId"],
            **tag_specifications("security-group", wanted.get("Tags")),
        )["GroupId"]
        call.started(physical)
        if "SecurityGroupEgress" in wanted:
            ec2.revoke_security_group_egress(GroupId=physical, IpPermissions=[permission(ANYTHING)])
        self._rules(call, physical)
        return physical

    def update(self, call: Call) -> None:
        ec2 = call.client("ec2")
        had, has = "SecurityGroupEgress" in call.previous, "SecurityGroupEgress" in call.properties
        if has and not had:
            ec2.revoke_security_group_egress(GroupId=call.physical, IpPermissions=[permission(ANYTHING)])
        self._rules(call, call.physical)
        if had and not has:
            ec2.authorize_security_group_egress(GroupId=call.physical, IpPermissions=[permission(ANYTHING)])
        retag_ec2(call, call.physical)

    def delete(self, call: Call) -> None:
        ec2 = call.client("ec2")
        users = [
            interface["NetworkInterfaceId"]
            for interface in ec2.describe_network_interfaces()["NetworkInterfaces"]
            if any(group["GroupId"] == call.physical for group in interface["Groups"])
        ]
        users += [
            group["GroupId"]
            for group in ec2.describe_security_groups()["SecurityGroups"]
            if group["GroupId"] != call.physical and _names(group, call.physical)
        ]
        if users:
            raise Failure(
                f"resource {call.physical} has a dependent object ({', '.join(users)}) (Error Code: DependencyViolation)"
            )
        ec2.delete_security_group(GroupId=call.physical)

    def read(self, call: Call) -> dict[str, Any] | None:
        group = one(call.client("ec2").describe_security_groups, "SecurityGroups", GroupIds=[call.physical])
        if group is None:
            return None
        live = {
            "GroupId": call.physical,
            "Id": call.physical,
            "GroupName": group["GroupName"],
            "GroupDescription": group["Description"],
            "VpcId": group["VpcId"],
            "Tags": entries(group.get("Tags")),
        }
        for side, kind, key in (
            ("Source", "Ingress", "IpPermissions"),
            ("Destination", "Egress", "IpPermissionsEgress"),
        ):
            name = f"SecurityGroup{kind}"
            own = call.properties.get(name, [])
            others = [
                rule for rule in call.siblings(f"AWS::EC2::{name}") if rule.get("GroupId") == call.physical
            ]
            live[name] = [
                rule
                for rule in rules(group.get(key, []), side)
                if any(alike(rule, mine) for mine in own) or not any(alike(rule, other) for other in others)
            ]
        return live

    def _rules(self, call: Call, physical: str) -> None:
        ec2 = call.client("ec2")
        for name, put, drop in (
            ("SecurityGroupIngress", ec2.authorize_security_group_ingress, ec2.revoke_security_group_ingress),
            ("SecurityGroupEgress", ec2.authorize_security_group_egress, ec2.revoke_security_group_egress),
        ):
            old, new = call.previous.get(name, []), call.properties.get(name, [])
            for rule in old:
                if rule not in new:
                    drop(GroupId=physical, IpPermissions=[permission(rule)])
            for rule in new:
                if rule not in old:
                    put(GroupId=physical, IpPermissions=[permission(rule)])


def _names(group: dict[str, Any], physical: str) -> bool:
    items = [*group.get("IpPermissions", []), *group.get("IpPermissionsEgress", [])]
    return any(pair.get("GroupId") == physical for item in items for pair in item.get("UserIdGroupPairs", []))


class _Rule(Adapter):
    """One rule as a resource; `side` is the word that its properties use for the peer."""

    side: str
    direction: str

    def create(self, call: Call) -> str:
        put = getattr(call.client("ec2"), f"authorize_security_group_{self.direction}")
        if self._found(call) is not None:
            raise Failure("the specified rule already exists (Error Code: InvalidPermission.Duplicate)")
        answer = put(GroupId=call.properties["GroupId"], IpPermissions=[permission(call.properties)])
        return str(answer["SecurityGroupRules"][0]["SecurityGroupRuleId"])

    def update(self, call: Call) -> None:
        # Only the description may change in place; EC2 knows a rule by its permission.
        ec2 = call.client("ec2")
        getattr(ec2, f"revoke_security_group_{self.direction}")(
            GroupId=call.properties["GroupId"], IpPermissions=[permission(call.previous)]
        )
        getattr(ec2, f"authorize_security_group_{self.direction}")(
            GroupId=call.properties["GroupId"], IpPermissions=[permission(call.properties)]
        )

    def delete(self, call: Call) -> None:
        drop = getattr(call.client("ec2"), f"revoke_security_group_{self.direction}")
        drop(GroupId=call.properties["GroupId"], IpPermissions=[permission(call.properties)])

    def read(self, call: Call) -> dict[str, Any] | None:
        rule = self._found(call)
        return rule and {"Id": call.physical, "GroupId": call.properties["GroupId"], **rule}

    def _found(self, call: Call) -> dict[str, Any] | None:
        try:
            group = one(
                call.client("ec2").describe_security_groups,
                "SecurityGroups",
                GroupIds=[call.properties["GroupId"]],
            )
        except ClientError:
            return None
        permissions = (group or {}).get(
            "IpPermissions" if self.direction == "ingress" else "IpPermissionsEgress", []
        )
        return next((rule for rule in rules(permissions, self.side) if alike(rule, call.properties)), None)


class Ingress(_Rule):
    """AWS::EC2::SecurityGroupIngress."""

    type = "AWS::EC2::SecurityGroupIngress"
    properties = words(
        "GroupId IpProtocol FromPort ToPort CidrIp CidrIpv6 SourceSecurityGroupId SourcePrefixListId Description"
    )
    side, direction = "Source", "ingress"


class Egress(_Rule):
    """AWS::EC2::SecurityGroupEgress."""

    type = "AWS::EC2::SecurityGroupEgress"
    properties = words(
        "GroupId IpProtocol FromPort ToPort CidrIp CidrIpv6 DestinationSecurityGroupId DestinationPrefixListId Description"
    )
    side, direction = "Destination", "egress"


class LaunchTemplate(Adapter):
    """AWS::EC2::LaunchTemplate; an update makes a new version."""

    type = "AWS::EC2::LaunchTemplate"
    properties = words("LaunchTemplateData LaunchTemplateName TagSpecifications VersionDescription")
    volatile = words("LatestVersionNumber")

    def create(self, call: Call) -> str:
        wanted = call.properties
        arguments = call.pick("LaunchTemplateData", "VersionDescription")
        if "TagSpecifications" in wanted:
            arguments["TagSpecifications"] = wanted["TagSpecifications"]
        name = wanted.get("LaunchTemplateName") or call.name(128)
        answer = call.client("ec2").create_launch_template(LaunchTemplateName=name, **arguments)
        return str(answer["LaunchTemplate"]["LaunchTemplateId"])

    def update(self, call: Call) -> None:
        ec2 = call.client("ec2")
        if call.changed("LaunchTemplateData", "VersionDescription"):
            ec2.create_launch_template_version(
                LaunchTemplateId=call.physical, **call.pick("LaunchTemplateData", "VersionDescription")
            )
        if call.changed("TagSpecifications"):
            old, new = (_own_tags(values) for values in (call.previous, call.properties))
            gone = [{"Key": tag["Key"]} for tag in old if tag["Key"] not in {other["Key"] for other in new}]
            if gone:
                ec2.delete_tags(Resources=[call.physical], Tags=gone)
            if new:
                ec2.create_tags(Resources=[call.physical], Tags=new)

    def delete(self, call: Call) -> None:
        call.client("ec2").delete_launch_template(LaunchTemplateId=call.physical)

    def read(self, call: Call) -> dict[str, Any] | None:
        found = one(
            call.client("ec2").describe_launch_templates, "LaunchTemplates", LaunchTemplateIds=[call.physical]
        )
        return found and {
            "LaunchTemplateId": call.physical,
            "LaunchTemplateName": found["LaunchTemplateName"],
            "LatestVersionNumber": str(found["LatestVersionNumber"]),
            "DefaultVersionNumber": str(found["DefaultVersionNumber"]),
        }


def _own_tags(properties: Properties) -> list[dict[str, str]]:
    specifications = properties.get("TagSpecifications", [])
    return [
        tag for item in specifications if item["ResourceType"] == "launch-template" for tag in item["Tags"]
    ]


ADAPTERS: tuple[Adapter, ...] = (SecurityGroup(), Ingress(), Egress(), LaunchTemplate())
