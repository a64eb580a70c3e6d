"""Workflows that cannot become the role they name."""

from policies.finding import Position
from policies.iam import Policy, decide
from policies.iam.trust import AUDIENCE, GITHUB, provider_arn, web_identity
from policies.model.identity import repository, trust
from policies.model.shape import mapping, texts
from policies.model.system import Environment, System
from policies.model.workflows import Job, Step, Workflow
from policies.rule import Found

ID = "FLOW10"
TITLE = "A job assumes a role that does not exist, or that does not trust the job's event, ref or environment"
WHY = "STS answers `Not authorized to perform sts:AssumeRoleWithWebIdentity`; `environment:` alone changes the subject."
FIX = "Use production's role from infra, and let its trust policy fit the subject of the event; see docs/policies.md."
_FLOW = """\
on: {push: {tags: ["v*"]}}
jobs:
  a:
    permissions: {id-token: write}
    steps:
    - uses: aws-actions/configure-aws-credentials@0123456789abcdef0123456789abcdef01234567  # v6.0.0
      with: {role-to-assume: "arn:aws:iam::111111111111:role/release"}
"""
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
GOOD = {
    ".github/workflows/release.yml": _FLOW,
    "rendered/production/gitops/main": "kind: A\n",
    "infra/templates/identity.yaml": _TEMPLATE,
    "gitops/wiring/production/wiring.yaml": 'data: {account: "111111111111", repoUrl: "https://github.com/acme/slipway.git"}\n',
}
BAD = {
    **GOOD,
    ".github/workflows/release.yml": _FLOW.replace("  a:\n", "  a:\n    environment: production\n"),
}


def check(system: System) -> Found:
    """Let the token of each job knock at the role that it names.

    The role that deploys infra cannot be in infra: it is made by hand, and a variable of the job's environment names it.
    """
    production = next((each for each in system.environments if each.name == "production"), None)
    if production is None or not production.infra.roles:
        return
    for workflow in system.workflows:
        for job in workflow.jobs:
            for step in job.steps:
                if step.input("role-to-assume"):
                    yield from _refused(production, workflow, job, step)


def _refused(environment: Environment, workflow: Workflow, job: Job, step: Step) -> Found:
    arn, place = step.input("role-to-assume"), _place(workflow, step)
    if arn.startswith("${{"):
        if not job.environment or not arn.startswith("${{ vars."):
            yield place, f"{arn} is not a variable of an environment that somebody approves"
        return
    role = next((each for each in environment.infra.roles.values() if each.arn == arn), None)
    ours = repository(environment)
    if role is None:
        yield place, f"{arn} is no role of production's templates"
        return
    policy = trust(role)
    if ours is None or not isinstance(policy, Policy):
        return
    provider = provider_arn(environment.infra.account, GITHUB)
    audience = step.input("audience") or AUDIENCE
    for ref, rest in _subjects(workflow, job):
        for subject in ours.subjects(rest)[: 2 if ours.has_ids else 1]:
            claims = {"aud": audience, "sub": subject, "repository": str(ours), "ref": ref}
            if not decide(web_identity(role.arn, provider, claims), resource=[policy]).allowed:
                where = workflow.at("jobs", job.name, "environment") if job.environment else place
                yield where, f"{role.name} does not trust {subject}"


def _subjects(workflow: Workflow, job: Job) -> list[tuple[str, str]]:
    """Ref, and what follows the repository in the token's subject, for each event that starts the job."""
    push = mapping(workflow.events.get("push"))
    found = [
        (f"refs/tags/{name}", f"ref:refs/tags/{name}")
        for tag in texts(push.get("tags"))
        for name in [tag.replace("*", "1.2.3")]
    ]
    if "push" in workflow.events and "tags" not in push:
        found += [
            (f"refs/heads/{name}", f"ref:refs/heads/{name}")
            for name in texts(push.get("branches")) or ["main"]
        ]
    if "pull_request" in workflow.events:
        found.append(("refs/pull/1/merge", "pull_request"))
    if job.environment:
        return [(ref, f"environment:{job.environment}") for ref, _ in found]
    return found


def _place(workflow: Workflow, step: Step) -> Position:
    return workflow.at(*step.path, "with", "role-to-assume")
