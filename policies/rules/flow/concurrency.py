"""Workflows that run beside themselves."""

from policies.model.shape import mapping
from policies.model.system import System
from policies.rule import Found

ID = "FLOW05"
TITLE = "A workflow has no concurrency group, or one that cancels a release or deployment"
WHY = "Two releases publish side by side and may appear in the wrong order; a cancelled one leaves half of a version or stack."
FIX = "Set concurrency.group; cancel-in-progress only where nothing is published or deployed."
_FLOW = """\
on: {push: {tags: ["v*"]}}
concurrency: {group: release, cancel-in-progress: false}
jobs: {}
"""
GOOD = {".github/workflows/a.yml": _FLOW}
BAD = {".github/workflows/a.yml": _FLOW.replace("cancel-in-progress: false", "cancel-in-progress: true")}


def check(system: System) -> Found:
    """Look at the workflow's concurrency; what runs on tags or assumes a role must not be cancelled."""
    for workflow in system.workflows:
        concurrency = workflow.body.get("concurrency")
        if not concurrency:
            yield workflow.at("on"), f"{workflow.name} has no concurrency group"
        acts = "tags" in mapping(workflow.events.get("push")) or any(
            step.input("role-to-assume") for job in workflow.jobs for step in job.steps
        )
        if acts and mapping(concurrency).get("cancel-in-progress") not in (None, False):
            yield (
                workflow.at("concurrency", "cancel-in-progress"),
                f"{workflow.name} cancels what publishes or deploys",
            )
