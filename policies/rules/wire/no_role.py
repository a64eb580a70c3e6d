"""Accounts that name a role which is not there."""

from policies.model.identity import accounts
from policies.model.system import System
from policies.rule import Found

ID = "WIRE01"
TITLE = "A ServiceAccount names a role that no template makes"
WHY = "The pod gets no credentials: every call to AWS fails with AccessDenied, and nothing else shows it."
FIX = "Let gitops/wiring/fill make the ARN of account and role name, and use that name as RoleName."
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
BAD = {**GOOD, "rendered/local/gitops/main": _ACCOUNT.replace("role/reader", "role/raeder")}


def check(system: System) -> Found:
    """Look every annotated ARN up among the roles of the templates."""
    for environment in system.environments:
        arns = {role.arn for role in environment.infra.roles.values()}
        for account in accounts(environment):
            if environment.infra.resources and account.role not in arns:
                yield account.position, f"{account.label} names {account.role}, which infra does not make"
