"""Trust in everybody, or in somebody else's provider or account."""

from collections.abc import Iterator

from policies.model.infra import Role
from policies.model.shape import mapping, texts
from policies.model.system import Environment, System
from policies.rule import Found

ID = "WIRE15"
TITLE = "A trust policy's principal is everybody, another account, or a provider that infra does not make"
WHY = (
    "Only the conditions then keep strangers out: one key that a token may leave out, and the role is theirs."
)
FIX = "Name the OIDC provider of this account, the service, or a principal of this account."
_TEMPLATE = """\
Resources:
  Provider: {Type: AWS::IAM::OIDCProvider, Properties: {Url: https://issuer.example}}
  Reader:
    Type: AWS::IAM::Role
    Properties:
      RoleName: reader
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
        - Effect: Allow
          Principal: {Federated: !Ref Provider}
          Action: sts:AssumeRoleWithWebIdentity
          Condition: {StringEquals: {issuer.example:aud: sts.amazonaws.com}}
"""
GOOD = {
    "rendered/local/gitops/main": "kind: A\n",
    "infra/templates/identity.yaml": _TEMPLATE,
    "gitops/wiring/local/wiring.yaml": 'data: {account: "111111111111"}\n',
}
BAD = {**GOOD, "infra/templates/identity.yaml": _TEMPLATE.replace("{Federated: !Ref Provider}", '"*"')}


def check(system: System) -> Found:
    """Look at whom each trust policy allows, conditions aside."""
    for environment in system.environments:
        for role in environment.infra.roles.values():
            for principal in _strangers(environment, role):
                yield role.trust_at, f"{role.name} trusts {principal}"


def _strangers(environment: Environment, role: Role) -> Iterator[str]:
    infra = environment.infra
    providers = {infra.reference(each) for each in infra.of("AWS::IAM::OIDCProvider")}
    statements = role.trust.get("Statement")
    for statement in map(mapping, statements if isinstance(statements, list) else [statements]):
        if statement.get("Effect") != "Allow":
            continue
        if statement.get("Principal") == "*" or "NotPrincipal" in statement:
            yield "everybody"
        named = mapping(statement.get("Principal"))
        for arn in texts(named.get("Federated")):
            if arn not in providers:
                yield f"the provider {arn}, which infra does not make"
        for arn in texts(named.get("AWS")):
            if arn == "*" or f":{infra.account}:" not in f":{arn}:":
                yield "everybody" if arn == "*" else arn
