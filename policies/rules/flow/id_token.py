"""Jobs that cannot ask for a token."""

from policies.model.system import System
from policies.rule import Found

ID = "FLOW03"
TITLE = "A job assumes a role without permission to ask for an identity token"
WHY = "The step fails with `Credentials could not be loaded`, first seen on the day of a release."
FIX = "Add `id-token: write` to the job's permissions."
_FLOW = """\
on: {push: {tags: ["v*"]}}
permissions: {}
jobs:
  a:
    runs-on: ubuntu-24.04
    permissions: {id-token: write}
    steps:
    - uses: aws-actions/configure-aws-credentials@0123456789abcdef0123456789abcdef01234567  # v6.0.0
      with: {role-to-assume: "arn:aws:iam::111111111111:role/role-github"}
"""
GOOD = {".github/workflows/a.yml": _FLOW}
BAD = {".github/workflows/a.yml": _FLOW.replace("id-token: write", "id-token: none")}


def check(system: System) -> Found:
    """Look at the jobs with role-to-assume."""
    for workflow in system.workflows:
        for job in workflow.jobs:
            for step in job.steps:
                if step.input("role-to-assume") and job.may("id-token") != "write":
                    yield workflow.at(*step.path, "with"), f"job {job.name} has no id-token: write"
