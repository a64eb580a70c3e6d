"""Roles that may do more than their workload."""

from policies.iam.excess import excess
from policies.model.identity import accounts, needs, permissions
from policies.model.system import System
from policies.rule import Found

ID = "WIRE10"
TITLE = "A role may do more than its workload needs"
WHY = "Whoever gets into the pod has all of it: another secret, another zone, other repositories."
FIX = "Name the one resource and the actions that are used; keep * for actions that know no resource."
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
_STORE = """\
---
apiVersion: external-secrets.io/v1
kind: SecretStore
metadata: {name: store, namespace: main}
spec: {provider: {aws: {auth: {jwt: {serviceAccountRef: {name: reader}}}}}}
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: database, namespace: main}
spec: {secretStoreRef: {name: store}, dataFrom: [{extract: {key: database-secrets}}]}
"""
_PERMISSIONS = """\
      Policies:
      - PolicyName: read
        PolicyDocument:
          Version: "2012-10-17"
          Statement: {Effect: Allow, Action: [secretsmanager:GetSecretValue, secretsmanager:DescribeSecret], Resource: !Ref Database}
  Database: {Type: AWS::SecretsManager::Secret, Properties: {Name: database-secrets}}
"""
GOOD = {
    **GOOD,
    "rendered/local/gitops/main": _ACCOUNT + _STORE,
    "infra/templates/identity.yaml": _TEMPLATE + _PERMISSIONS,
}
BAD = {**GOOD, "infra/templates/identity.yaml": _TEMPLATE + _PERMISSIONS.replace("!Ref Database", '"*"')}


def check(system: System) -> Found:
    """Probe each role beyond what the users of its account need."""
    for environment in system.environments:
        by_arn = {role.arn: role for role in environment.infra.roles.values()}
        for account in accounts(environment):
            role, wanted = by_arn.get(account.role), needs(system, environment, account)
            if role is None or wanted is None:
                continue
            found = excess(permissions(role), wanted, environment.infra.account)
            if found:
                more = f", and {len(found) - 1} more" if len(found) > 1 else ""
                yield role.policies_at, f"{role.name} may {found[0].action} on {found[0].resource}{more}"
            for policy in role.managed:
                yield role.resource.at("ManagedPolicyArns"), f"{role.name} has the managed policy {policy}"
