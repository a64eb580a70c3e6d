"""Pulling from upstream, where a registry answers; digests are locked at first sight."""

import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import httpx

from ci import shell
from ci.problem import Problem
from ci.settings import Settings
from ci.supply import enginestore
from ci.supply.catalogue import HERE, Component

LOCK = HERE / "digests.lock"
_HOSTS = {"docker.io": "registry-1.docker.io"}


def upstream_of(component: Component) -> str | None:
    """The reference to pull from: upstream's own, or the same path at SLIPWAY_UPSTREAM's mirror."""
    if component.upstream is None:
        return None
    override = os.environ.get("SLIPWAY_UPSTREAM")
    return f"{override}/{enginestore.mirror_path(component.upstream)}" if override else component.upstream


@cache
def answers(reference: str) -> bool:
    """Whether the registry of `reference` answers within 3 s; any HTTP status counts."""
    host = reference.partition("/")[0]
    host = _HOSTS.get(host, host)
    scheme = "http" if host.startswith(("127.", "localhost")) else "https"
    try:
        httpx.get(f"{scheme}://{host}/v2/", timeout=3.0)
    except httpx.HTTPError:
        return False
    return True


def pull(settings: Settings, component: Component, reference: str) -> None:
    """Pull an image, check its digest against the lock, and name it as upstream does.

    The first pull of a version writes its digest to the environment's copy of the lock; a later
    pull with another digest raises Problem and the image is removed from the engine.
    """
    try:
        shell.run("docker", "pull", "--quiet", reference)
    except shell.CommandFailed as error:
        raise Problem(
            f"pulling {reference} failed: {error.last_words}",
            fix="check the network, or set SLIPWAY_SUPPLY=build",
        ) from error
    upstream = component.upstream
    assert upstream is not None
    _check_digest(settings, upstream, reference)
    if reference != upstream:
        shell.run("docker", "tag", reference, upstream)


def locked_digests(settings: Settings) -> dict[str, str]:
    """Digest by upstream reference: the repository's lock, then what this machine saw first."""
    return {**_read(settings.cache / "digests.lock"), **_read(LOCK)}


def _check_digest(settings: Settings, upstream: str, reference: str) -> None:
    try:
        check(settings, upstream, enginestore.repo_digests(reference))
    except Problem:
        shell.run("docker", "image", "rm", "--force", reference, ok=(0, 1))
        raise


def check(settings: Settings, name: str, seen: Sequence[str]) -> None:
    """Compare the digests that `name` has with the locked one; the first sight locks it."""
    expected = locked_digests(settings).get(name)
    if expected is None:
        with (settings.cache / "digests.lock").open("a") as stream:
            stream.write(f"{name} {seen[0]}\n")
    elif expected not in seen:
        raise Problem(
            f"{name} has digest {', '.join(seen)}, but {expected} is locked",
            fix="find out who changed it; correct digests.lock only if it was meant",
        )


def _read(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    lines = [line.split() for line in path.read_text().splitlines() if not line.startswith("#")]
    return {line[0]: line[1] for line in lines if len(line) == 2}
