"""Roles that nothing becomes."""

from policies.finding import Position
from policies.model.identity import accounts, add_on_roles, github_role, web_identity_roles
from policies.model.infra import Role
from policies.model.system import Environment, System
from policies.rule import Found

ID = "WIRE04"
TITLE = "A role for a web identity is named by no ServiceAccount and no workflow"
WHY = "It is a door without a use: nobody notices what it may do, or who takes the name that it trusts."
FIX = "Annotate the ServiceAccount with it, or remove the role."
_TEMPLATE = """\
Resources:
  Secrets:
    Type: AWS::IAM::Role
    Properties:
      RoleName: reader
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
        - Effect: Allow
          Principal: {Federated: "arn:aws:iam::111111111111:oidc-provider/issuer.example"}
          Action: sts:AssumeRoleWithWebIdentity
          Condition:
            StringEquals:
              issuer.example:aud: sts.amazonaws.com
              issuer.example:sub: system:serviceaccount:main:reader
"""
_ACCOUNT = """\
apiVersion: v1
kind: ServiceAccount
metadata:
  name: reader
  namespace: main
  annotations: {eks.amazonaws.com/role-arn: "arn:aws:iam::111111111111:role/reader"}
"""
_WIRING = 'data: {account: "111111111111", region: eu-west-1, repoUrl: https://github.com/acme/slipway.git, roleGithub: release}\n'
GOOD = {
    "rendered/local/gitops/main": _ACCOUNT,
    "infra/templates/identity.yaml": _TEMPLATE,
    "gitops/wiring/local/wiring.yaml": _WIRING,
}
BAD = {**GOOD, "rendered/local/gitops/main": _ACCOUNT.replace("annotations", "labels")}


def check(system: System) -> Found:
    """Compare the roles that trust a provider with those that some environment names."""
    used = {account.role.rpartition("/")[2] for each in system.environments for account in accounts(each)}
    for environment in system.environments:
        github, given = github_role(environment), add_on_roles(environment)
        for role in web_identity_roles(environment):
            if role.name not in used and role.arn not in given and role is not github:
                yield _place(environment, role), f"no ServiceAccount and no workflow names role {role.name}"


def _place(environment: Environment, role: Role) -> Position:
    """The account that the trust policy means, where there is one; else the role."""
    for found in environment.kind("ServiceAccount"):
        if f"system:serviceaccount:{found.namespace}:{found.name}" in str(role.trust):
            return found.at("metadata", "annotations")
    return role.resource.here
