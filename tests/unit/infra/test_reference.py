import re

from ci.settings import ROOT
from infra import template
from infra.environment import CONCERNS, load
from infra.parameters import table
from infra.stacks import Output, catalogue
from tests.unit.infra.resolved import Stack

REFERENCE = (ROOT / "docs" / "reference" / "infrastructure.md").read_text()


def rows(heading: str) -> dict[str, list[str]]:
    """The first table under a heading, by the code in its first column."""
    part = REFERENCE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    found = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in part.splitlines()
        if line.startswith("| `")
    ]
    return {cells[0].strip("`"): cells[1:] for cells in found}


def test_the_parameters_are_the_code_s() -> None:
    assert REFERENCE.count(table()) == 1


def test_the_stacks_and_what_others_take_from_them_are_the_code_s() -> None:
    taken: dict[str, set[str]] = {concern: set() for concern in CONCERNS}
    for stack in catalogue(load("production")):
        for value in stack.inputs.values():
            if isinstance(value, Output):
                taken[value.concern].add(value.name)
    told = {name: set(re.findall(r"`(\w+)`", cells[1])) for name, cells in rows("Stacks").items()}
    assert told == taken


def test_the_roles_are_the_template_s() -> None:
    stack = Stack("production", "identity")
    roles = stack.of_type("AWS::IAM::Role")
    assert set(rows("Roles")) == {found["RoleName"] for found in roles.values()}


def test_the_secrets_are_the_templates() -> None:
    names = [
        resource["Properties"]["Name"]
        for stack in catalogue(load("production"))
        for resource in template.parse(stack.template)["Resources"].values()
        if resource["Type"] == "AWS::SecretsManager::Secret"
    ]
    assert sorted(rows("Secrets")) == sorted(names)
