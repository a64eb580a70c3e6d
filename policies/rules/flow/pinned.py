"""Actions by a name that moves."""

import re

from policies.model.system import System
from policies.rule import Found

ID = "FLOW01"
TITLE = "An action is not pinned by commit, or does not say which version that is"
WHY = "A tag can be moved to other code, which then runs with the job's token and the role it may assume."
FIX = "Write `uses: owner/action@<40 hex digits>  # v1.2.3`."
_SHA = "0123456789abcdef0123456789abcdef01234567"
_FLOW = """\
on: push
jobs:
  a:
    runs-on: ubuntu-24.04
    steps:
    - uses: actions/checkout@{}
"""
GOOD = {".github/workflows/a.yml": _FLOW.format(f"{_SHA}  # v7.0.0")}
BAD = {".github/workflows/a.yml": _FLOW.format("v7")}


def check(system: System) -> Found:
    """Look at every `uses`, and at the comment behind it."""
    for workflow in system.workflows:
        lines = system.sources.text(workflow.file).splitlines()
        for job in workflow.jobs:
            for step in job.steps:
                if not step.uses or step.uses.startswith("./"):
                    continue
                place = workflow.at(*step.path, "uses")
                if not re.search(r"@[0-9a-f]{40}$", step.uses):
                    yield place, f"{step.uses} is not pinned by commit"
                elif not re.search(r"# v?\d+(\.\d+)*", lines[place.line - 1]):
                    yield place, f"{step.uses.partition('@')[0]} does not say its version"
