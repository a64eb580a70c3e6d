"""A release in production: from a version's tag to the images in its registry, once.

This is what `invoke release` does where SLIPWAY_ENVIRONMENT is production, as in .github/workflows/release.yml. Credentials
are those of boto3's usual chain. The cluster takes it from there; nothing here talks to it.
"""

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from ci import git, layercache, publish, shell
from ci.build import build
from ci.ecr import login
from ci.oci import Registry, RegistryError
from ci.problem import Problem
from ci.progress import console
from ci.publish import Release
from ci.settings import IMAGES, ROOT, Settings, Wiring, wiring
from ci.version import Version, parse

ENVIRONMENT = "SLIPWAY_ENVIRONMENT"
REGISTRY_URL = "SLIPWAY_REGISTRY_URL"
"""Where production's registry is reached instead of under its own name: the local one, in tests."""
_MAIN = "origin/main"


def in_production(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this process releases to production; any other name than the two raises Problem."""
    chosen = environment.get(ENVIRONMENT, "local")
    if chosen not in ("local", "production"):
        raise Problem(f"{ENVIRONMENT} '{chosen}' is no environment", fix="set local or production")
    return chosen == "production"


def ship(settings: Settings, version: str, source: Path = ROOT) -> Release:
    """Build and publish the tag `version`; a run that was interrupted is finished, a finished one is left alone.

    Refuses a tag that is not on main or not above every other version. Writes the images' digests to the file that
    GITHUB_OUTPUT names, one `NAME=sha256:...` per line.
    """
    wanted, place = parse(version), wiring("production")
    production = replace(settings, wiring=place)
    commit = check_tag(source, wanted)
    with _registry(place) as opened, publish.exclusive(production, wanted):
        done = publish.released(opened, wanted)
        if done is not None and done.revision != commit:
            raise Problem(
                f"{wanted} is already published, from revision {done.revision[:12]}",
                fix=f"take the next version, {wanted.next()}: a version is never published twice",
            )
        if done is None:
            before = publish.versions(opened)
            check_newest(source, wanted, before)
            with layercache.of(opened, next(iter(before), None)) as cache:
                build(production, wanted, source, committed=True, cache=cache)
            with publish.saved(production, wanted) as find:
                done = publish.push(production, opened, wanted, commit, find)
            console.print(f"{wanted} is published in {place.registry}", markup=False)
        else:
            console.print(f"{wanted} was published before, from this commit: nothing to do", markup=False)
    _tell(done, place)
    return done


def check_tag(source: Path, version: Version) -> str:
    """Return the commit of the tag, which must be checked out and on main."""
    commit = git.revision(source)
    tagged = _ask(source, "rev-parse", "--verify", "--quiet", f"refs/tags/{version}^{{commit}}")
    if tagged != commit:
        at = f"is {tagged[:12]}" if tagged else "does not exist"
        raise Problem(f"the tag {version} {at}, and this is {commit[:12]}", fix=f"git checkout {version}")
    if shell.run("git", "merge-base", "--is-ancestor", commit, _MAIN, cwd=source, ok=(0, 1, 128)).code:
        raise Problem(
            f"{version} is not on main: {commit[:12]} is no ancestor of {_MAIN}",
            fix="merge it into main, then tag the commit there with the next version",
        )
    return commit


def check_newest(source: Path, version: Version, published: tuple[Version, ...]) -> None:
    """Refuse a version that is not above every other tag and every published version."""
    tags = filter(None, map(Version.read, _ask(source, "tag", "--list", "v*").splitlines()))
    newest = max((*tags, *published), default=version)
    if newest > version:
        raise Problem(
            f"{version} is older than {newest}", fix=f"release what is missing as {newest.next()} instead"
        )


def _ask(source: Path, *arguments: str) -> str:
    return shell.run("git", *arguments, cwd=source, ok=(0, 1)).out.strip()


@contextlib.contextmanager
def _registry(place: Wiring) -> Iterator[Registry]:
    import boto3

    url = os.environ.get(REGISTRY_URL) or f"https://{place.registry}"
    with Registry(url, login(lambda: boto3.client("ecr", region_name=place.region))) as opened:
        try:
            yield opened
        except RegistryError as failure:
            raise Problem(
                f"the registry failed: {failure}", fix="run it again; what was published is kept"
            ) from failure


def _tell(done: Release, place: Wiring) -> None:
    """Say what was published, to people and to the workflow's next steps."""
    lines = [f"{name}={done.digests[name]}" for name in IMAGES]
    for line in lines:
        console.print(f"{place.registry}/{line.replace('=', '@')}", markup=False)
    if path := os.environ.get("GITHUB_OUTPUT"):
        with Path(path).open("a") as stream:
            stream.write("".join(f"{line}\n" for line in lines))
