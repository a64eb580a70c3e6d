"""Roles that let in more than their account."""

from policies.iam import Policy
from policies.iam.service_account import adversaries
from policies.model.identity import accounts, trust
from policies.model.system import System
from policies.rule import Found

ID = "WIRE03"
TITLE = "A role lets in somebody else than its ServiceAccount"
WHY = "Any pod of the cluster, or of another one, can then do what this workload may: a wildcard or a missing aud is enough."
FIX = "StringEquals on aud and on sub, with the one subject, and the provider of this cluster as principal."
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
    "infra/templates/identity.yaml": _TEMPLATE.replace("StringEquals", "StringLike").replace(
        "main:reader", "main:*"
    ),
}


def check(system: System) -> Found:
    """Let those knock who must stay outside."""
    for environment in system.environments:
        by_arn = {role.arn: role for role in environment.infra.roles.values()}
        for account in accounts(environment):
            role = by_arn.get(account.role)
            policy = trust(role) if role else None
            if role is None or not isinstance(policy, Policy):
                continue
            stranger = adversaries(account.caller(environment.infra.issuer), role.arn)
            let_in = [caller for caller in stranger if caller.knock(policy).allowed]
            if let_in:
                more = f", and {len(let_in) - 1} more" if len(let_in) > 1 else ""
                yield role.trust_at, f"{role.name} lets in {let_in[0].who}{more}"
