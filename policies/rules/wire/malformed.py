"""Policies that AWS refuses."""

from policies.model.identity import malformed
from policies.model.system import System
from policies.rule import Found

ID = "WIRE08"
TITLE = "A policy document is one that AWS would refuse"
WHY = "The stack fails in the middle of a deployment, and cfn-lint does not look inside the document."
FIX = "Correct the element that is named."
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
BAD = {**GOOD, "infra/templates/identity.yaml": _TEMPLATE.replace("StringEquals", "StringEqual")}


def check(system: System) -> Found:
    """Parse every document as IAM does."""
    for environment in system.environments:
        for role in environment.infra.roles.values():
            for position, error in malformed(role):
                yield position, f"{role.name}: {error}"
