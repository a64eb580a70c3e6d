"""Roles that refuse the account they are for."""

from policies.iam import Policy
from policies.iam.service_account import rightful
from policies.model.identity import accounts, trust
from policies.model.system import System
from policies.rule import Found

ID = "WIRE02"
TITLE = "A role refuses the ServiceAccount that names it"
WHY = "STS answers AccessDenied: the trust policy names another namespace, name, audience or cluster."
FIX = (
    "Let the trust policy say system:serviceaccount:NAMESPACE:NAME and aud sts.amazonaws.com of this cluster."
)
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
BAD = {**GOOD, "infra/templates/identity.yaml": _TEMPLATE.replace("main:reader", "default:reader")}


def check(system: System) -> Found:
    """Let each account knock at its role."""
    for environment in system.environments:
        by_arn = {role.arn: role for role in environment.infra.roles.values()}
        for account in accounts(environment):
            role = by_arn.get(account.role)
            policy = trust(role) if role else None
            if role is None or not isinstance(policy, Policy):
                continue
            for caller in rightful(account.caller(environment.infra.issuer), role.arn):
                if not caller.knock(policy).allowed:
                    yield role.trust_at, f"{role.name} refuses {account.label}"
