"""Images that ECR has no place for."""

from policies.model.system import System
from policies.rule import Found

ID = "SHIP18"
TITLE = "The bake file and the ECR repositories of infra do not name the same images"
WHY = (
    "ECR makes no repository by itself: the push of a new or renamed image fails in the middle of a release."
)
FIX = "Give each target of app/docker-bake.hcl a repository in infra/templates/registry.yaml, and no other."
_BAKE = 'target "eks-app" {\n  tags = ["${REGISTRY}/eks-app:${VERSION}"]\n}\n'
_TEMPLATE = "Resources:\n  App: {Type: AWS::ECR::Repository, Properties: {RepositoryName: eks-app}}\n"
GOOD = {
    "rendered/local/gitops/main": "kind: A\n",
    "app/docker-bake.hcl": _BAKE,
    "infra/templates/registry.yaml": _TEMPLATE,
}
BAD = {**GOOD, "infra/templates/registry.yaml": _TEMPLATE.replace("Name: eks-app", "Name: eks-ap")}


def check(system: System) -> Found:
    """Compare both lists."""
    built = {target.image: target for target in system.product.targets}
    for environment in system.environments:
        repositories = environment.infra.repositories
        if not repositories or not built:
            continue
        for name in built.keys() - repositories.keys():
            yield built[name].position, f"infra makes no repository {name}"
        for name in repositories.keys() - built.keys():
            yield repositories[name].at("RepositoryName"), f"nothing is pushed to repository {name}"
