"""Jobs with more rights than they use."""

from policies.model.shape import mapping
from policies.model.system import System
from policies.model.workflows import Job
from policies.rule import Found

ID = "FLOW02"
TITLE = "A job does not state its permissions, or has one that no step uses"
WHY = "Without them the repository's default holds, which may be write to everything; each extra one is there for an attacker."
FIX = "Set `permissions: {}` for the workflow, and on each job what its steps need."
_FLOW = """\
on: push
permissions: {}
jobs:
  a:
    runs-on: ubuntu-24.04
    permissions: {contents: read}
    steps:
    - uses: actions/checkout@0123456789abcdef0123456789abcdef01234567  # v7.0.0
"""
GOOD = {".github/workflows/a.yml": _FLOW}
BAD = {".github/workflows/a.yml": _FLOW.replace("contents: read", "contents: write")}

_USES = {
    ("contents", "read"): ("actions/checkout",),
    ("id-token", "write"): ("aws-actions/configure-aws-credentials", "actions/attest", "sigstore/"),
    ("attestations", "write"): ("actions/attest",),
    ("artifact-metadata", "write"): ("actions/attest",),
    ("pull-requests", "write"): ("invoke", "actions/github-script"),
    ("security-events", "write"): ("github/codeql-action/upload-sarif",),
}
"""Permission to the beginnings of actions, or the program, that use it."""


def check(system: System) -> Found:
    """Compare each job's permissions with what its steps use."""
    for workflow in system.workflows:
        if workflow.body.get("permissions") != {}:
            yield workflow.at("permissions"), f"{workflow.name} does not begin with `permissions: {{}}`"
        for job in workflow.jobs:
            where = ("jobs", job.name, "permissions")
            if "permissions" not in job.body:
                yield workflow.at("jobs", job.name), f"job {job.name} does not state its permissions"
            elif isinstance(job.permissions, str):
                yield workflow.at(*where), f"job {job.name} has {job.permissions}"
            for name, level in mapping(job.body.get("permissions")).items():
                if level != "none" and not _used(job, name, str(level)):
                    yield workflow.at(*where, name), f"no step of job {job.name} needs {name}: {level}"


def _used(job: Job, name: str, level: str) -> bool:
    users = _USES.get((name, level), ())
    return any(
        step.uses.startswith(user) or (not step.uses and user in step.run)
        for step in job.steps
        for user in users
    )
