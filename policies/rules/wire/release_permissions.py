"""The release's role may not publish, or may do more."""

from policies.iam.excess import excess, missing
from policies.model.identity import github_role, permissions, publishing
from policies.model.system import System
from policies.rule import Found

ID = "WIRE12"
TITLE = "The release's role lacks a right to publish, or has one that publishing does not need"
WHY = "Missing, a release stops halfway; too wide, a compromised workflow pushes to or deletes other repositories."
FIX = "Allow pushing to the repositories of the bake file's images, ecr:GetAuthorizationToken on *, and nothing else."
_TEMPLATE = """\
Resources:
  App: {Type: AWS::ECR::Repository, Properties: {RepositoryName: eks-app}}
  Github:
    Type: AWS::IAM::Role
    Properties:
      RoleName: release
      AssumeRolePolicyDocument: {}
      Policies:
      - PolicyName: publish
        PolicyDocument:
          Version: "2012-10-17"
          Statement:
          - {Effect: Allow, Action: "ecr:GetAuthorizationToken", Resource: "*"}
          - Effect: Allow
            Action:
            - ecr:BatchCheckLayerAvailability
            - ecr:BatchGetImage
            - ecr:CompleteLayerUpload
            - ecr:GetDownloadUrlForLayer
            - ecr:InitiateLayerUpload
            - ecr:ListImages
            - ecr:PutImage
            - ecr:UploadLayerPart
            Resource: !GetAtt App.Arn
"""
GOOD = {
    "rendered/local/gitops/main": "kind: A\n",
    "infra/templates/identity.yaml": _TEMPLATE,
    "gitops/wiring/local/wiring.yaml": 'data: {account: "111111111111", region: eu-west-1, roleGithub: release}\n',
    "app/docker-bake.hcl": 'target "eks-app" {\n  tags = ["${REGISTRY}/eks-app:${VERSION}"]\n}\n',
}
BAD = {**GOOD, "infra/templates/identity.yaml": _TEMPLATE.replace("!GetAtt App.Arn", '"*"')}


def check(system: System) -> Found:
    """Ask for what a release does, and probe beyond it."""
    for environment in system.environments:
        role = github_role(environment)
        if role is None or not system.product.targets:
            continue
        wanted, own = publishing(system, environment), permissions(role)
        for need in missing(own, wanted):
            yield role.policies_at, f"{role.name} may not {need.action} on {need.resource}"
        found = excess(own, wanted, environment.infra.account)
        if found:
            more = f", and {len(found) - 1} more" if len(found) > 1 else ""
            yield role.policies_at, f"{role.name} may {found[0].action} on {found[0].resource}{more}"
        for policy in role.managed:
            yield role.resource.at("ManagedPolicyArns"), f"{role.name} has the managed policy {policy}"
