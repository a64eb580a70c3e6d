"""Wildcards where they are letters."""

from policies.model.identity import conditions
from policies.model.system import System
from policies.rule import Found

ID = "WIRE06"
TITLE = "A condition has a wildcard under StringEquals"
WHY = "StringEquals compares letter by letter: the statement never matches, so it either refuses everybody or, in a Deny, nobody."
FIX = "Use StringLike where a pattern is meant, else write the value out."
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
BAD = {**GOOD, "infra/templates/identity.yaml": _TEMPLATE.replace("main:reader", "main:read*")}

_LITERAL = ("stringequals", "stringnotequals")


def check(system: System) -> Found:
    """Look at every condition of every role."""
    for environment in system.environments:
        for role in environment.infra.roles.values():
            for position, document in (
                (role.trust_at, role.trust),
                *((role.policies_at, each) for each in role.policies),
            ):
                for operator, key, value in conditions(document):
                    name = operator.lower().rpartition(":")[2].removesuffix("ifexists")
                    if name.startswith(_LITERAL) and ("*" in value or "?" in value):
                        yield position, f"{role.name}: {operator} on {key} with {value}"
