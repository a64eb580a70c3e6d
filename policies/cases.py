"""A rule's good and bad case as a system: what a test asks and the documentation shows."""

from collections import defaultdict
from typing import Any

from policies.model.system import System
from policies.rule import Case
from policies.sources import Sources
from policies.yamltext import parse

RENDERED = "rendered/"


def build(case: Case) -> System:
    """Make the system of a case.

    `rendered/ENV/FOLDER` stands for what FOLDER renders. A kustomization of the folder lists it, so
    that findings have a place in it.
    """
    files = {name: text.encode() for name, text in case.items() if not name.startswith(RENDERED)}
    rendered: dict[str, dict[str, list[Any]]] = defaultdict(dict)
    for name, text in case.items():
        if name.startswith(RENDERED):
            environment, _, folder = name.removeprefix(RENDERED).partition("/")
            documents = [parse("x", part)[0] for part in text.split("\n---\n")]
            rendered[environment][folder] = [each.value for found in documents for each in found]
            files[f"{folder}/{name.replace('/', '-')}.yaml"] = text.encode()
            if f"{folder}/kustomization.yaml" not in case:
                files[f"{folder}/kustomization.yaml"] = (
                    f"resources: ['{name.replace('/', '-')}.yaml']\n".encode()
                )
    return System(Sources(dict(files)), rendered)
