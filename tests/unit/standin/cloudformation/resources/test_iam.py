import json
from typing import Any

import pytest

from tests.unit.standin.cloudformation.resources import lives
from tests.unit.standin.cloudformation.resources.templates import resource, role, trust
from tests.unit.standin.cloudformation.sandbox import Sandbox, changed, template

READ = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "ecr:BatchGetImage", "Resource": "*"}],
}
WRITE = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "ecr:PutImage", "Resource": "*"}],
}
VIEW, SSM = (
    f"arn:aws:iam::aws:policy/{name}" for name in ("AmazonEKSClusterPolicy", "AmazonSSMManagedInstanceCore")
)
ROLE = role(
    Description="d",
    MaxSessionDuration=3600,
    ManagedPolicyArns=[VIEW],
    Policies=[{"PolicyName": "p", "PolicyDocument": READ}],
    Tags=[{"Key": "a", "Value": "b"}],
)


def seen(box: Sandbox, name: str) -> dict[str, Any]:
    iam = box.aws("iam")
    found = iam.get_role(RoleName=name)["Role"]
    return {
        "trust": found["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"],
        "description": found["Description"],
        "seconds": found["MaxSessionDuration"],
        "tags": {tag["Key"]: tag["Value"] for tag in found["Tags"]},
        "attached": [
            item["PolicyArn"] for item in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
        ],
        "inline": {
            policy: iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
            for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]
        },
    }


BEFORE = {
    "trust": "ec2.amazonaws.com", "description": "d", "seconds": 3600, "tags": {"a": "b", **lives.TAGS},
    "attached": [VIEW], "inline": {"p": READ},
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "differs"),
    [
        ({"AssumeRolePolicyDocument": trust("eks.amazonaws.com")}, {"trust": "eks.amazonaws.com"}),
        ({"Description": "e", "MaxSessionDuration": 7200}, {"description": "e", "seconds": 7200}),
        ({"Tags": [{"Key": "c", "Value": "d"}]}, {"tags": {"c": "d", **lives.TAGS}}),
        ({"ManagedPolicyArns": [SSM]}, {"attached": [SSM]}),
        ({"Policies": [{"PolicyName": "p", "PolicyDocument": WRITE}]}, {"inline": {"p": WRITE}}),
        ({"Policies": [{"PolicyName": "q", "PolicyDocument": READ}]}, {"inline": {"q": READ}}),
        ({"Policies": None, "ManagedPolicyArns": None}, {"inline": {}, "attached": []}),
    ],
)
def test_role(sandbox: Sandbox, changes: dict[str, Any], differs: dict[str, Any]) -> None:
    name = lives.live(
        sandbox,
        template({"R": ROLE}),
        "R",
        look=seen,
        before=BEFORE,
        changes=changes,
        after={**BEFORE, **differs},
    )
    assert name.startswith("stack-R-")
    lives.die(sandbox, seen, name)


def test_role_replaced(sandbox: Sandbox) -> None:
    text = changed(template({"R": ROLE}), "R", RoleName="first")
    lives.live(
        sandbox,
        text,
        "R",
        look=seen,
        before=BEFORE,
        changes={"RoleName": "second"},
        after=BEFORE,
        replaced=True,
    )


def test_a_trust_policy_written_as_json(sandbox: Sandbox) -> None:
    provider = resource(
        "AWS::IAM::OIDCProvider",
        Url="https://token.actions.githubusercontent.com",
        ClientIdList=["sts.amazonaws.com"],
    )
    text = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": "sts:AssumeRoleWithWebIdentity",
                    "Principal": {"Federated": "${P}"},
                }
            ],
        }
    )
    one = role(RoleName="role-github")
    one["Properties"]["AssumeRolePolicyDocument"] = {"Fn::Sub": text}
    assert sandbox.deploy(template({"P": provider, "R": one})) == "CREATE_COMPLETE", sandbox.reasons()
    found = sandbox.aws("iam").get_role(RoleName="role-github")["Role"]["AssumeRolePolicyDocument"]
    arn = f"arn:aws:iam::{sandbox.account}:oidc-provider/token.actions.githubusercontent.com"
    assert found["Statement"][0]["Principal"] == {"Federated": arn}
    assert sandbox.physical()["P"] == arn
    assert sandbox.drift() == {}


def test_drift_of_a_role(sandbox: Sandbox) -> None:
    sandbox.deploy(changed(template({"R": ROLE}), "R", RoleName="r"))
    iam = sandbox.aws("iam")
    iam.put_role_policy(RoleName="r", PolicyName="by-hand", PolicyDocument=json.dumps(WRITE))
    iam.update_assume_role_policy(RoleName="r", PolicyDocument=json.dumps(trust("lambda.amazonaws.com")))
    assert sandbox.drift() == {
        "R": (
            "MODIFIED",
            [
                ("/AssumeRolePolicyDocument/Statement/0/Principal/Service", "NOT_EQUAL"),
                ("/Policies/1", "ADD"),
            ],
        )
    }


def test_a_role_in_use_stays(sandbox: Sandbox) -> None:
    sandbox.deploy(changed(template({"R": ROLE}), "R", RoleName="r"))
    sandbox.aws("iam").put_role_policy(RoleName="r", PolicyName="by-hand", PolicyDocument=json.dumps(WRITE))
    assert sandbox.delete() == "DELETE_FAILED"
    assert "must delete policies first" in sandbox.reasons()["R"]


def test_inline_policy(sandbox: Sandbox) -> None:
    text = template(
        {
            "R": role(RoleName="r"),
            "P": resource("AWS::IAM::Policy", PolicyName="p", PolicyDocument=READ, Roles=[{"Ref": "R"}]),
        }
    )

    def look(box: Sandbox, name: str) -> Any:
        return box.aws("iam").get_role_policy(RoleName="r", PolicyName=name)["PolicyDocument"]

    lives.live(sandbox, text, "P", look=look, before=READ, changes={"PolicyDocument": WRITE}, after=WRITE)
    lives.die(sandbox, look, "p")


def test_managed_policy(sandbox: Sandbox) -> None:
    text = template(
        {
            "R": role(RoleName="r"),
            "P": resource("AWS::IAM::ManagedPolicy", PolicyDocument=READ, Roles=[{"Ref": "R"}]),
        }
    )

    def look(box: Sandbox, arn: str) -> Any:
        iam = box.aws("iam")
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        attached = [
            item["PolicyArn"] for item in iam.list_attached_role_policies(RoleName="r")["AttachedPolicies"]
        ]
        return iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"][
            "Document"
        ], arn in attached

    arn = lives.live(
        sandbox,
        text,
        "P",
        look=look,
        before=(READ, True),
        changes={"PolicyDocument": WRITE},
        after=(WRITE, True),
    )
    lives.die(sandbox, look, arn)


def test_instance_profile(sandbox: Sandbox) -> None:
    text = template(
        {
            "R": role(RoleName="r"),
            "S": role(RoleName="s"),
            "P": resource("AWS::IAM::InstanceProfile", Roles=[{"Ref": "R"}]),
        }
    )

    def look(box: Sandbox, name: str) -> Any:
        return [
            item["RoleName"]
            for item in box.aws("iam").get_instance_profile(InstanceProfileName=name)["InstanceProfile"][
                "Roles"
            ]
        ]

    name = lives.live(
        sandbox, text, "P", look=look, before=["r"], changes={"Roles": [{"Ref": "S"}]}, after=["s"]
    )
    lives.die(sandbox, look, name)


def test_oidc_provider(sandbox: Sandbox) -> None:
    text = template(
        {
            "P": resource(
                "AWS::IAM::OIDCProvider",
                Url="https://oidc.example.com/id/A",
                ClientIdList=["sts.amazonaws.com"],
            )
        }
    )

    def look(box: Sandbox, arn: str) -> Any:
        found = box.aws("iam").get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
        return (
            found["Url"],
            sorted(found["ClientIDList"]),
            {tag["Key"]: tag["Value"] for tag in found["Tags"]},
        )

    arn = lives.live(
        sandbox, text, "P", look=look, before=("oidc.example.com/id/A", ["sts.amazonaws.com"], lives.TAGS),
        changes={"ClientIdList": ["sts.amazonaws.com", "x"]}, after=("oidc.example.com/id/A", ["sts.amazonaws.com", "x"], lives.TAGS),
    )  # fmt: skip
    assert arn == f"arn:aws:iam::{sandbox.account}:oidc-provider/oidc.example.com/id/A"
    lives.die(sandbox, look, arn)


def test_inline_policy_is_replaced_for_another_name(sandbox: Sandbox) -> None:
    properties = {"PolicyName": "p", "PolicyDocument": READ, "Roles": [{"Ref": "R"}]}
    text = template({"R": role(RoleName="r"), "P": resource("AWS::IAM::Policy", **properties)})

    def look(box: Sandbox, name: str) -> Any:
        return box.aws("iam").get_role_policy(RoleName="r", PolicyName=name)["PolicyDocument"]

    lives.live(
        sandbox, text, "P", look=look, before=READ, changes={"PolicyName": "q"}, after=READ, replaced=True
    )
