"""Release workflows that do not start for a version."""

from fnmatch import fnmatchcase

from policies.finding import Position
from policies.model.shape import mapping, texts
from policies.model.system import System
from policies.rule import Found

ID = "FLOW08"
TITLE = "No workflow releases on a version's tag, or it starts for other tags and branches too"
WHY = "`git push --tags` then publishes nothing, or a branch build assumes the release's role."
FIX = 'Start release.yml with `on: {push: {tags: ["v*"]}}` only.'
_FLOW = """\
on: {push: {tags: ["v*"]}}
jobs:
  a: {steps: [{run: .venv/bin/invoke release --version v1.0.0}]}
"""
GOOD = {".github/workflows/release.yml": _FLOW}
BAD = {".github/workflows/release.yml": _FLOW.replace('["v*"]', '["release-*"]')}

_FILE = ".github/workflows/release.yml"


def check(system: System) -> Found:
    """Try a version and other names against the filter."""
    if not system.workflows:
        return
    workflow = next((each for each in system.workflows if each.file == _FILE), None)
    if workflow is None:
        if any(each.file.endswith(("ci.yml", "infra.yml")) for each in system.workflows):
            yield Position(system.workflows[0].file), "there is no release.yml"
        return
    push = mapping(workflow.events.get("push"))
    patterns = texts(push.get("tags"))
    if not any(fnmatchcase("v1.2.3", pattern) for pattern in patterns):
        yield workflow.at("on", "push", "tags"), "it does not start for the tag v1.2.3"
    if any(fnmatchcase(name, pattern) for name in ("nightly", "1.2.3") for pattern in patterns):
        yield workflow.at("on", "push", "tags"), "it starts for tags that are no version"
    if "branches" in push or set(workflow.events) - {"push", "workflow_dispatch"}:
        yield (
            workflow.at("on"),
            f"it also starts on {', '.join(sorted(set(workflow.events) - {'push'})) or 'branches'}",
        )
