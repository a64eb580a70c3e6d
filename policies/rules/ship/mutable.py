"""Repositories in which a version can change."""

import json

from policies.model.shape import dig, mapping, sequence
from policies.model.system import System
from policies.rule import Found

ID = "SHIP19"
TITLE = "An ECR repository lets tags be moved, or expires images that have one"
WHY = "A version that is pushed twice runs as two programs; one that expired cannot be rolled back to, or restarted."
FIX = "ImageTagMutability: IMMUTABLE, and lifecycle rules for untagged images only."
_TEMPLATE = "Resources:\n  App: {Type: AWS::ECR::Repository, Properties: {RepositoryName: a, ImageTagMutability: IMMUTABLE}}\n"
GOOD = {"rendered/local/gitops/main": "kind: A\n", "infra/templates/registry.yaml": _TEMPLATE}
BAD = {**GOOD, "infra/templates/registry.yaml": _TEMPLATE.replace("IMMUTABLE", "MUTABLE")}


def check(system: System) -> Found:
    """Look at mutability and lifecycle of each repository."""
    for environment in system.environments:
        for name, repository in environment.infra.repositories.items():
            if repository.properties.get("ImageTagMutability") != "IMMUTABLE":
                yield repository.at("ImageTagMutability"), f"tags of {name} can be moved"
            text = dig(repository.properties, "LifecyclePolicy", "LifecyclePolicyText")
            for rule in map(mapping, sequence(mapping(_read(text)).get("rules"))):
                if dig(rule, "selection", "tagStatus") != "untagged":
                    yield repository.at("LifecyclePolicy"), f"versions of {name} expire"


def _read(text: object) -> object:
    try:
        return json.loads(str(text)) if text else {}
    except json.JSONDecodeError:
        return {}
