"""IAM: roles, policies, instance profiles, OIDC providers."""

# ruff: noqa: D102 - an adapter's methods are Adapter's, and described there

from typing import Any

from botocore.exceptions import ClientError

from standin.cloudformation.fault import Failure

from .adapter import Adapter, Call, document, entries, present, retag, words


def _found(ask: Any, **names: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = ask(**names)
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchEntity", "NoSuchEntityException"):
            return None
        raise
    return found


class Role(Adapter):
    """AWS::IAM::Role with its inline and attached policies."""

    type = "AWS::IAM::Role"
    properties = words(
        "RoleName Description AssumeRolePolicyDocument ManagedPolicyArns Policies MaxSessionDuration Path "
        "PermissionsBoundary Tags"
    )

    def create(self, call: Call) -> str:
        iam, wanted = call.client("iam"), call.properties
        name = wanted.get("RoleName") or call.name(64)
        iam.create_role(
            RoleName=name,
            AssumeRolePolicyDocument=document(wanted["AssumeRolePolicyDocument"]),
            Tags=entries(wanted.get("Tags")),
            **call.pick("Description", "MaxSessionDuration", "Path", "PermissionsBoundary"),
        )
        call.started(name)
        self._policies(call, name)
        return str(name)

    def update(self, call: Call) -> None:
        iam, wanted, name = call.client("iam"), call.properties, call.physical
        if call.changed("AssumeRolePolicyDocument"):
            iam.update_assume_role_policy(
                RoleName=name, PolicyDocument=document(wanted["AssumeRolePolicyDocument"])
            )
        if call.changed("Description", "MaxSessionDuration"):
            iam.update_role(
                RoleName=name,
                Description=wanted.get("Description", ""),
                MaxSessionDuration=wanted.get("MaxSessionDuration", 3600),
            )
        if call.changed("PermissionsBoundary"):
            if "PermissionsBoundary" in wanted:
                iam.put_role_permissions_boundary(
                    RoleName=name, PermissionsBoundary=wanted["PermissionsBoundary"]
                )
            else:
                iam.delete_role_permissions_boundary(RoleName=name)
        self._policies(call, name)
        retag(
            call,
            lambda tags: iam.tag_role(RoleName=name, Tags=entries(tags)),
            lambda keys: iam.untag_role(RoleName=name, TagKeys=keys),
        )

    def delete(self, call: Call) -> None:
        iam, name = call.client("iam"), call.physical
        own = {policy["PolicyName"] for policy in call.properties.get("Policies", [])}
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            if policy in own:
                iam.delete_role_policy(RoleName=name, PolicyName=policy)
        attached = call.properties.get("ManagedPolicyArns", [])
        for policy in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
            if policy["PolicyArn"] in attached:
                iam.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])
        iam.delete_role(RoleName=name)

    def read(self, call: Call) -> dict[str, Any] | None:
        iam, name = call.client("iam"), call.physical
        found = _found(iam.get_role, RoleName=name)
        if found is None:
            return None
        role = found["Role"]
        attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
        # Policies that resources of their own put into the role (AWS::IAM::Policy) are not the role's.
        others = {
            policy.get("PolicyName")
            for policy in call.siblings("AWS::IAM::Policy")
            if name in policy.get("Roles", [])
        }
        own = {policy["PolicyName"] for policy in call.properties.get("Policies", [])}
        inline = [
            item
            for item in iam.list_role_policies(RoleName=name)["PolicyNames"]
            if item in own or item not in others
        ]
        boundary = role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
        return present(
            {
                "RoleName": name,
                "Arn": role["Arn"],
                "RoleId": role["RoleId"],
                "Path": role["Path"],
                "Description": role.get("Description", ""),
                "MaxSessionDuration": role["MaxSessionDuration"],
                "PermissionsBoundary": boundary,
            }
        ) | {
            "AssumeRolePolicyDocument": role["AssumeRolePolicyDocument"],
            "ManagedPolicyArns": [policy["PolicyArn"] for policy in attached],
            "Policies": [
                {
                    "PolicyName": item,
                    "PolicyDocument": iam.get_role_policy(RoleName=name, PolicyName=item)["PolicyDocument"],
                }
                for item in inline
            ],
            "Tags": entries(role.get("Tags")),
        }

    def _policies(self, call: Call, name: str) -> None:
        iam = call.client("iam")
        old = {policy["PolicyName"]: policy for policy in call.previous.get("Policies", [])}
        new = {policy["PolicyName"]: policy for policy in call.properties.get("Policies", [])}
        for gone in old.keys() - new.keys():
            iam.delete_role_policy(RoleName=name, PolicyName=gone)
        for policy in new.values():
            if policy != old.get(policy["PolicyName"]):
                iam.put_role_policy(
                    RoleName=name,
                    PolicyName=policy["PolicyName"],
                    PolicyDocument=document(policy["PolicyDocument"]),
                )
        before, after = (values.get("ManagedPolicyArns", []) for values in (call.previous, call.properties))
        for arn in before:
            if arn not in after:
                iam.detach_role_policy(RoleName=name, PolicyArn=arn)
        for arn in after:
            if arn not in before:
                iam.attach_role_policy(RoleName=name, PolicyArn=arn)


class Policy(Adapter):
    """AWS::IAM::Policy: an inline policy put into roles."""

    type = "AWS::IAM::Policy"
    properties = words("PolicyName PolicyDocument Roles")
    replaces = words("PolicyName")

    def create(self, call: Call) -> str:
        wanted = call.properties
        if not wanted.get("Roles"):
            raise Failure("At least one of [Groups,Roles,Users] must be non-empty.")
        self._put(call, wanted["Roles"])
        return str(wanted["PolicyName"])

    def update(self, call: Call) -> None:
        self._put(call, call.properties["Roles"])
        self._drop(call, [role for role in call.previous["Roles"] if role not in call.properties["Roles"]])

    def delete(self, call: Call) -> None:
        self._drop(call, call.properties["Roles"])

    def read(self, call: Call) -> dict[str, Any] | None:
        iam, name = call.client("iam"), call.properties["PolicyName"]
        found = {
            role: _found(iam.get_role_policy, RoleName=role, PolicyName=name)
            for role in call.properties["Roles"]
        }
        texts = [answer["PolicyDocument"] for answer in found.values() if answer]
        if not texts:
            return None
        roles = [role for role, answer in found.items() if answer]
        return {"Id": call.physical, "PolicyName": name, "PolicyDocument": texts[0], "Roles": roles}

    def _put(self, call: Call, roles: list[str]) -> None:
        for role in roles:
            call.client("iam").put_role_policy(
                RoleName=role,
                PolicyName=call.properties["PolicyName"],
                PolicyDocument=document(call.properties["PolicyDocument"]),
            )

    def _drop(self, call: Call, roles: list[str]) -> None:
        for role in roles:
            call.client("iam").delete_role_policy(RoleName=role, PolicyName=call.properties["PolicyName"])


class ManagedPolicy(Adapter):
    """AWS::IAM::ManagedPolicy, attached to roles."""

    type = "AWS::IAM::ManagedPolicy"
    properties = words("ManagedPolicyName Description Path PolicyDocument Roles")

    def create(self, call: Call) -> str:
        iam, wanted = call.client("iam"), call.properties
        name = wanted.get("ManagedPolicyName") or call.name(128)
        answer = iam.create_policy(
            PolicyName=name,
            PolicyDocument=document(wanted["PolicyDocument"]),
            **call.pick("Description", "Path"),
        )
        arn = str(answer["Policy"]["Arn"])
        call.started(arn)
        self._roles(call, arn)
        return arn

    def update(self, call: Call) -> None:
        iam, arn = call.client("iam"), call.physical
        if call.changed("PolicyDocument"):
            old = [
                item
                for item in iam.list_policy_versions(PolicyArn=arn)["Versions"]
                if not item["IsDefaultVersion"]
            ]
            for item in old:  # at most five may exist
                iam.delete_policy_version(PolicyArn=arn, VersionId=item["VersionId"])
            iam.create_policy_version(
                PolicyArn=arn, PolicyDocument=document(call.properties["PolicyDocument"]), SetAsDefault=True
            )
        self._roles(call, arn)

    def delete(self, call: Call) -> None:
        iam, arn = call.client("iam"), call.physical
        for role in call.properties.get("Roles", []):
            if _found(iam.get_role, RoleName=role):
                iam.detach_role_policy(RoleName=role, PolicyArn=arn)
        for item in iam.list_policy_versions(PolicyArn=arn)["Versions"]:
            if not item["IsDefaultVersion"]:
                iam.delete_policy_version(PolicyArn=arn, VersionId=item["VersionId"])
        iam.delete_policy(PolicyArn=arn)

    def read(self, call: Call) -> dict[str, Any] | None:
        iam, arn = call.client("iam"), call.physical
        found = _found(iam.get_policy, PolicyArn=arn)
        if found is None:
            return None
        policy = found["Policy"]
        version = iam.get_policy_version(PolicyArn=arn, VersionId=policy["DefaultVersionId"])["PolicyVersion"]
        users = iam.list_entities_for_policy(PolicyArn=arn)["PolicyRoles"]
        return {
            "PolicyArn": arn,
            "PolicyId": policy["PolicyId"],
            "DefaultVersionId": policy["DefaultVersionId"],
            "ManagedPolicyName": policy["PolicyName"],
            "Path": policy["Path"],
            "Description": policy.get("Description", ""),
            "PolicyDocument": version["Document"],
            "Roles": [role["RoleName"] for role in users],
        }

    def _roles(self, call: Call, arn: str) -> None:
        iam = call.client("iam")
        old, new = call.previous.get("Roles", []), call.properties.get("Roles", [])
        for role in old:
            if role not in new:
                iam.detach_role_policy(RoleName=role, PolicyArn=arn)
        for role in new:
            if role not in old:
                iam.attach_role_policy(RoleName=role, PolicyArn=arn)


class InstanceProfile(Adapter):
    """AWS::IAM::InstanceProfile."""

    type = "AWS::IAM::InstanceProfile"
    properties = words("InstanceProfileName Path Roles")

    def create(self, call: Call) -> str:
        name = call.properties.get("InstanceProfileName") or call.name(128)
        call.client("iam").create_instance_profile(InstanceProfileName=name, **call.pick("Path"))
        call.started(name)
        self._roles(call, name)
        return str(name)

    def update(self, call: Call) -> None:
        self._roles(call, call.physical)

    def delete(self, call: Call) -> None:
        iam, name = call.client("iam"), call.physical
        for role in iam.get_instance_profile(InstanceProfileName=name)["InstanceProfile"]["Roles"]:
            iam.remove_role_from_instance_profile(InstanceProfileName=name, RoleName=role["RoleName"])
        iam.delete_instance_profile(InstanceProfileName=name)

    def read(self, call: Call) -> dict[str, Any] | None:
        found = _found(call.client("iam").get_instance_profile, InstanceProfileName=call.physical)
        if found is None:
            return None
        profile = found["InstanceProfile"]
        return {
            "InstanceProfileName": call.physical,
            "Arn": profile["Arn"],
            "Path": profile["Path"],
            "Roles": [role["RoleName"] for role in profile["Roles"]],
        }

    def _roles(self, call: Call, name: str) -> None:
        iam = call.client("iam")
        for role in call.previous.get("Roles", []):
            if role not in call.properties["Roles"]:
                iam.remove_role_from_instance_profile(InstanceProfileName=name, RoleName=role)
        for role in call.properties["Roles"]:
            if role not in call.previous.get("Roles", []):
                iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=role)


class OidcProvider(Adapter):
    """AWS::IAM::OIDCProvider; Ref is its ARN."""

    type = "AWS::IAM::OIDCProvider"
    properties = words("Url ClientIdList ThumbprintList Tags")

    def create(self, call: Call) -> str:
        wanted = call.properties
        answer = call.client("iam").create_open_id_connect_provider(
            Url=wanted["Url"],
            ClientIDList=wanted.get("ClientIdList", []),
            ThumbprintList=wanted.get("ThumbprintList", []),
            Tags=entries(wanted.get("Tags")),
        )
        return str(answer["OpenIDConnectProviderArn"])

    def update(self, call: Call) -> None:
        iam, where = call.client("iam"), {"OpenIDConnectProviderArn": call.physical}
        old, new = call.previous.get("ClientIdList", []), call.properties.get("ClientIdList", [])
        for client in new:
            if client not in old:
                iam.add_client_id_to_open_id_connect_provider(**where, ClientID=client)
        for client in old:
            if client not in new:
                iam.remove_client_id_from_open_id_connect_provider(**where, ClientID=client)
        if call.changed("ThumbprintList"):
            iam.update_open_id_connect_provider_thumbprint(
                **where, ThumbprintList=call.properties.get("ThumbprintList", [])
            )
        retag(
            call,
            lambda tags: iam.tag_open_id_connect_provider(**where, Tags=entries(tags)),
            lambda keys: iam.untag_open_id_connect_provider(**where, TagKeys=keys),
        )

    def delete(self, call: Call) -> None:
        call.client("iam").delete_open_id_connect_provider(OpenIDConnectProviderArn=call.physical)

    def read(self, call: Call) -> dict[str, Any] | None:
        found = _found(
            call.client("iam").get_open_id_connect_provider, OpenIDConnectProviderArn=call.physical
        )
        if found is None:
            return None
        scheme = "" if "://" in found["Url"] else "https://"
        return {
            "Arn": call.physical,
            "Url": f"{scheme}{found['Url']}",
            "ClientIdList": found["ClientIDList"],
            "ThumbprintList": found["ThumbprintList"],
            "Tags": entries(found.get("Tags")),
        }


ADAPTERS: tuple[Adapter, ...] = (Role(), Policy(), ManagedPolicy(), InstanceProfile(), OidcProvider())
