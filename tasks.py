"""What Slipway does to the world. `invoke VERB --help` explains a verb."""

from pathlib import Path
from typing import Annotated

import ci.build
import ci.doctor
import ci.local.environment
import ci.local.teardown
import ci.publish
import ci.release
import ci.status
from ci.settings import load
from ci.verb import explain_parse_errors, verb
from ci.version import parse

HERE = Path(__file__).parent
explain_parse_errors()


@verb
def bootstrap() -> None:
    """Bring up everything; run again, it changes nothing."""
    ci.local.environment.bootstrap(load())


@verb
def build(version: Annotated[str, "the images' tag, as v1.2.3"]) -> None:
    """Build the three images of a version in the engine."""
    ci.build.build(load(), parse(version), HERE)


@verb
def push(version: Annotated[str, "a version that was built, as v1.2.3"]) -> None:
    """Publish what `build` made; the cluster does the rest."""
    ci.publish.publish(load(), version, HERE, building=False)


@verb
def release(
    version: Annotated[str, "higher than every one before, as v1.2.3"],
    wait: Annotated[bool, "return when it serves, or at once"] = True,
) -> None:
    """Build, tag and publish this commit; watch until it serves."""
    ci.release.release(load(), version, wait, HERE)


@verb
def status(json: Annotated[bool, "print JSON for programs"] = False) -> None:
    """Show what runs, what git asks for, and the last migration."""
    ci.status.show(load(), json)


@verb
def doctor() -> None:
    """Show what this machine has and lacks, without changing it."""
    ci.doctor.show(load())


@verb
def destroy(
    yes: Annotated[bool, "do not ask"] = False,
    keep_cache: Annotated[bool, "keep what was downloaded and built"] = False,
) -> None:
    """Remove the environment and its data."""
    ci.local.teardown.destroy(load(), yes=yes, keep_cache=keep_cache)
