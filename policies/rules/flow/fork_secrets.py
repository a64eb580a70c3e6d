"""Secrets within reach of a fork."""

import json
import re

from policies.model.system import System
from policies.rule import Found

ID = "FLOW06"
TITLE = "A workflow that anybody can start uses a secret, a role, or runs with the repository's rights"
WHY = "A pull request from a fork brings its own code: pull_request_target and workflow_run run it with our token."
FIX = "Use pull_request, without secrets; keep role-to-assume behind push or an `if` that excludes forks."
_FLOW = """\
on: pull_request
jobs:
  a: {steps: [{run: ./setup}]}
"""
GOOD = {".github/workflows/a.yml": _FLOW}
BAD = {".github/workflows/a.yml": _FLOW.replace("pull_request", "pull_request_target")}

_TRUSTED = re.compile(
    r"head\.repo\.full_name\s*==\s*github\.repository"
    r"|github\.event_name\s*==\s*'(workflow_dispatch|push)'"
    r"|github\.event_name\s*!=\s*'pull_request'"
)


def check(system: System) -> Found:
    """Look at the triggers, and at secrets in jobs that a pull request starts."""
    for workflow in system.workflows:
        for event in ("pull_request_target", "workflow_run", "issue_comment"):
            if event in workflow.events:
                yield workflow.at("on"), f"{workflow.name} runs on {event}"
        if "pull_request" not in workflow.events:
            continue
        for job in workflow.jobs:
            if _TRUSTED.search(str(job.body.get("if", ""))):
                continue
            for step in job.steps:
                text = json.dumps(dict(step.body)) + json.dumps(job.body.get("env", {}))
                secret = re.search(r"secrets\.(?!GITHUB_TOKEN)\w+", text)
                if secret:
                    yield step.position, f"job {job.name} uses {secret[0]} on pull requests"
                if step.input("role-to-assume"):
                    yield step.position, f"job {job.name} assumes a role on pull requests of forks too"
