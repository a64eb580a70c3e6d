"""Conditions that hold when the claim is missing."""

from policies.model.identity import conditions
from policies.model.system import System
from policies.rule import Found

ID = "WIRE07"
TITLE = "A trust policy uses ForAllValues or IfExists"
WHY = "Both are true for a token without the claim: a token that leaves it out is let in (configure-aws-credentials 1137)."
FIX = "Use the plain operator; for a claim with several values, ForAnyValue."
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
BAD = {
    **GOOD,
    "infra/templates/identity.yaml": _TEMPLATE.replace("StringEquals:", "ForAllValues:StringEquals:"),
}


def check(system: System) -> Found:
    """Look at the operators of trust policies that allow."""
    for environment in system.environments:
        for role in environment.infra.roles.values():
            for operator, key, _ in conditions(role.trust, "Allow"):
                name = operator.lower()
                if name.startswith("forallvalues:") or name.endswith("ifexists"):
                    yield role.trust_at, f"{role.name}: {operator} on {key}"
