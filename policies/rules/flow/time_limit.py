"""Jobs that may run for six hours."""

from policies.model.system import System
from policies.rule import Found

ID = "FLOW07"
TITLE = "A job has no time limit, or runs on an image that moves"
WHY = "A hung job holds the concurrency group for six hours, and `ubuntu-latest` changes under a release."
FIX = "Set timeout-minutes on the job, and runs-on to a version such as ubuntu-24.04."
_FLOW = """\
on: push
jobs:
  a: {runs-on: ubuntu-24.04, timeout-minutes: 10, steps: []}
"""
GOOD = {".github/workflows/a.yml": _FLOW}
BAD = {".github/workflows/a.yml": _FLOW.replace("timeout-minutes: 10, ", "")}


def check(system: System) -> Found:
    """Look at timeout-minutes and runs-on."""
    for workflow in system.workflows:
        for job in workflow.jobs:
            limit = job.body.get("timeout-minutes")
            if not isinstance(limit, int) or limit > 120:
                yield workflow.at("jobs", job.name), f"job {job.name} has no time limit of at most two hours"
            if str(job.body.get("runs-on", "")).endswith("-latest"):
                yield (
                    workflow.at("jobs", job.name, "runs-on"),
                    f"job {job.name} runs on {job.body['runs-on']}",
                )
