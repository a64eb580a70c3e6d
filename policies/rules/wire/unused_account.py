"""Accounts with a role that nothing runs as."""

from policies.model.identity import accounts, users
from policies.model.system import System
from policies.rule import Found

ID = "WIRE05"
TITLE = "A ServiceAccount has a role, but no pod, store or generator uses it"
WHY = "The workload that should use it runs as another account and is refused; this one waits for whoever finds it."
FIX = "Set serviceAccountName of the pod, or serviceAccountRef of the store, to this account."
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
GOOD = {
    **GOOD,
    "rendered/local/gitops/pod": """\
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: main}
spec: {serviceAccountName: reader, containers: []}
""",
}
BAD = {**GOOD, "rendered/local/gitops/pod": GOOD["rendered/local/gitops/pod"].replace("reader", "default")}


def check(system: System) -> Found:
    """Look for users of each account that is rendered here."""
    for environment in system.environments:
        for account in accounts(environment):
            if account.object is not None and not users(environment, account):
                yield account.position, f"nothing runs or logs in as {account.label}"
