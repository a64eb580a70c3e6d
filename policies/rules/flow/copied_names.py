"""Names of the wiring file, copied into a workflow."""

import re

from policies.finding import Position
from policies.model.system import System
from policies.rule import Found

ID = "FLOW09"
TITLE = "A workflow names an account or registry that is not production's"
WHY = "The copy is not changed with gitops/wiring, and the release goes to another account or nowhere."
FIX = "Let the verb read the wiring file; where an action needs the ARN, it must be that of production."
_WIRING = {
    "gitops/wiring/production/wiring.yaml": 'data: {account: "210987654321"}\n',
    "rendered/production/gitops/a": "kind: A\n",
}
_FLOW = 'on: push\njobs: {a: {steps: [{with: {role: "arn:aws:iam::210987654321:role/a"}}]}}\n'
GOOD = {".github/workflows/a.yml": _FLOW, **_WIRING}
BAD = {".github/workflows/a.yml": _FLOW.replace("210987654321", "210987654320"), **_WIRING}

_ACCOUNT = re.compile(r"(?<![0-9a-f])\d{12}(?![0-9a-f])")


def check(system: System) -> Found:
    """Look for twelve digits in workflows."""
    accounts = {each.wiring.get("account") for each in system.environments if each.name == "production"} - {
        None
    }
    for workflow in system.workflows:
        for number, line in enumerate(system.sources.text(workflow.file).splitlines(), 1):
            for found in _ACCOUNT.finditer(line.partition(" # ")[0]):
                if accounts and found[0] not in accounts:
                    yield (
                        Position(workflow.file, number, found.start() + 1),
                        f"account {found[0]} is not production's",
                    )
