"""Commands that do not exist."""

from policies.model.commands import commands, fault
from policies.model.system import System
from policies.rule import Found

ID = "FLOW04"
TITLE = "A workflow runs something else than a verb or a session that exists, with its flags"
WHY = "A renamed verb or flag breaks the release on the day it is needed; logic in YAML cannot be run on a developer's machine."
FIX = "Call `.venv/bin/invoke VERB --flag` or `.venv/bin/nox -s SESSION`; put everything else into Python."
_FLOW = """\
on: push
jobs:
  a:
    steps:
    - run: ./setup && .venv/bin/invoke release --version "$GITHUB_REF_NAME"
"""
_TASKS = '@verb\ndef release(version: str) -> None:\n    """Release."""\n'
GOOD = {".github/workflows/a.yml": _FLOW, "tasks.py": _TASKS}
BAD = {".github/workflows/a.yml": _FLOW.replace("--version", "--tag"), "tasks.py": _TASKS}


def check(system: System) -> Found:
    """Parse each command and look it up."""
    for workflow in system.workflows:
        for job in workflow.jobs:
            for step in job.steps:
                for words in commands(step.run):
                    if problem := fault(system.verbs, words):
                        yield workflow.at(*step.path, "run"), problem
