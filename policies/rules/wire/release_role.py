"""The release's role refuses a version's tag, or lets in somebody else."""

from policies.iam import Policy
from policies.iam.repository import adversaries, rightful
from policies.model.identity import github_role, repository, trust
from policies.model.system import System
from policies.rule import Found

ID = "WIRE11"
TITLE = (
    "The release's role lets in another repository, branch, pull request or fork, or refuses a version's tag"
)
WHY = "Whoever it lets in publishes images under our names; whom it refuses cannot release. The pattern decides, however it is written."
FIX = (
    "Trust `repo:OWNER/NAME:ref:refs/tags/v*` and the form with ids, under StringLike, with aud sts.amazonaws.com"
    " under StringEquals."
)
_TEMPLATE = """\
Resources:
  Github:
    Type: AWS::IAM::Role
    Properties:
      RoleName: release
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
        - Effect: Allow
          Principal: {Federated: "arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com"}
          Action: sts:AssumeRoleWithWebIdentity
          Condition:
            StringEquals: {"token.actions.githubusercontent.com:aud": sts.amazonaws.com}
            StringLike: {"token.actions.githubusercontent.com:sub": "repo:acme/slipway:ref:refs/tags/v*"}
"""
_WIRING = (
    'data: {account: "111111111111", repoUrl: "https://github.com/acme/slipway.git", roleGithub: release}\n'
)
GOOD = {
    "rendered/local/gitops/main": "kind: A\n",
    "infra/templates/identity.yaml": _TEMPLATE,
    "gitops/wiring/local/wiring.yaml": _WIRING,
}
BAD = {
    **GOOD,
    "infra/templates/identity.yaml": _TEMPLATE.replace("repo:acme/slipway:ref:refs/tags/v*", "repo:acme/*"),
}


def check(system: System) -> Found:
    """Let our tags and everybody else knock."""
    for environment in system.environments:
        role, ours = github_role(environment), repository(environment)
        policy = trust(role) if role else None
        if role is None or ours is None or not isinstance(policy, Policy):
            continue
        let_in = [each for each in adversaries(ours, role.arn) if each.knock(policy).allowed]
        if let_in:
            more = f", and {len(let_in) - 1} more" if len(let_in) > 1 else ""
            yield role.trust_at, f"{role.name} lets in {let_in[0].who}{more}"
        for caller in rightful(ours, role.arn):
            if not caller.knock(policy).allowed:
                yield role.trust_at, f"{role.name} refuses {caller.who}"
