"""The local environment taken down again: shown, asked about, removed."""

import shutil
import sys

from ci import shell, supply
from ci.local import container, engine, kind
from ci.problem import Problem
from ci.progress import console, step
from ci.settings import Settings

SERVICES = ("ecr", "aws", "events", "registry", "git", "database")


def destroy(settings: Settings, *, yes: bool = False, keep_cache: bool = False) -> None:
    """Remove the environment, its data and, unless `keep_cache`, what was downloaded and built.

    Shows what goes and asks, unless `yes`. Images that other environments use stay in the engine.
    """
    console.print(_plan(settings, keep_cache), markup=False)
    if not yes and not _agreed():
        raise Problem("nothing was removed", fix="answer yes, or pass --yes in scripts")
    if engine.version() is None:
        raise Problem(
            "no Docker engine answers, so nothing could be removed",
            fix="start Docker (invoke bootstrap does, where it may), then run the command again",
        )
    with step("remove the cluster"):
        kind.delete(settings)
    with step("remove the containers and their data"):
        for role in SERVICES:
            container.remove(settings, role, data=True)
        container.remove_networks(settings)
    shutil.rmtree(settings.state, ignore_errors=True)
    if not keep_cache:
        with step(f"remove the cache in {settings.cache}"):
            _remove_product_images(settings)
            supply.clear(settings)


def _remove_product_images(settings: Settings) -> None:
    listed = shell.run(
        "docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}",
        "--filter", f"reference={settings.wiring.registry}/*",
    )  # fmt: skip
    for reference in listed.out.split():
        shell.run("docker", "image", "rm", reference, ok=(0, 1))


def _plan(settings: Settings, keep_cache: bool) -> str:
    lines = [
        f"destroy removes from environment '{settings.name}':",
        "  the cluster, with everything in it",
        "  the stand-in for AWS, the registry, the git server and the database, with all their data",
        f"  secrets and certificates in {settings.state}",
    ]
    if not keep_cache:
        lines.append(f"  the cache in {settings.cache}: the next bootstrap builds everything again")
    return "\n".join(lines)


def _agreed() -> bool:
    if not sys.stdin.isatty():
        return False
    return input("Remove all that? Type yes: ").strip() == "yes"
