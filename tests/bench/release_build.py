"""Measure what release.yml builds and pushes: `nox -s bench_build`; writes tests/bench/results/release_build.json.

Three releases, one after the other, with the command that the workflow runs, against the stand-in's registry:

- nothing to take over: every step of the Dockerfiles is one that nobody ran before;
- a new engine, as a runner has: one line of the product is changed, layers come from the release before;
- an engine that has built before: one line is changed again. It is the best that a cache could give.
"""

import json
import os
import re
import shutil
import tempfile
import uuid
from pathlib import Path
from typing import Any

from ci import settings as all_settings
from ci import shell
from ci.settings import IMAGES
from tests.bench.machine import RESULTS, described
from tests.integration.local import workflow
from tests.integration.local.new_engine import new_engine
from tests.integration.local.workflow import Run

CODE = "app/ledger/__init__.py"
DOCKERFILES = ("app/Dockerfile", "app/migration/Dockerfile", "app/web/Dockerfile")
BASE = "FROM debian:bookworm-slim"
GOAL_SECONDS = 90


def main() -> None:
    """Run, print and write."""
    assert "SLIPWAY_NAME" in os.environ, "name an environment for this: nox -s bench_build"
    settings = all_settings.load()
    name = f"{settings.name}-runner"
    folder = Path(tempfile.mkdtemp(prefix="slipway-bench-"))
    try:
        found = {**described(), "goal, seconds": GOAL_SECONDS, **measured(settings, name, folder)}
    finally:
        shutil.rmtree(folder)
        shutil.rmtree(settings.cache / "environments" / name, ignore_errors=True)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "release_build.json").write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps(found, indent=2))


def measured(settings: all_settings.Settings, name: str, folder: Path) -> dict[str, Any]:
    """Make the three releases; return the seconds of each."""
    checkout = workflow.checkout(folder, "v0.0.1")
    shell.run("./setup", cwd=checkout)  # the same for all three, and no part of build and push
    run = Run(settings, workflow.issuer(settings), checkout, "", workflow.environment(settings, name))
    found, mark = {}, uuid.uuid4().hex
    run.tag("v8.0.0", **{path: marked(checkout / path, mark) for path in DOCKERFILES})
    found["nothing to take over"] = release(run)
    with new_engine(settings) as host:
        run.env["DOCKER_HOST"] = host
        run.tag("v8.0.1", **{CODE: changed(checkout)})
        found["new engine, layers of the last release"] = release(run)
    del run.env["DOCKER_HOST"]
    run.tag("v8.0.2", **{CODE: changed(checkout)})
    found["engine that built before"] = release(run)
    return {"seconds": found, "images": len(IMAGES)}


def release(run: Run) -> float:
    """Do the job; return how long its one command took, build and push of three images."""
    run.job()
    return round(run.seconds["images"], 1)


def marked(dockerfile: Path, mark: str) -> str:
    """Return the Dockerfile with a step after each base that no engine has seen, the same in all: they share layers."""
    return re.sub(rf"(?m)^({BASE}.*)$", rf"\1\nRUN : {mark}", dockerfile.read_text())


def changed(checkout: Path) -> str:
    """Return the product's code with one more line."""
    return f"{(checkout / CODE).read_text()}\n# {uuid.uuid4().hex}\n"


if __name__ == "__main__":
    main()
