"""Charts from chart repositories: pulled where one answers, kept by version; digests are locked at first sight."""

import hashlib
import time
from pathlib import Path

import httpx

from ci import shell, supply
from ci.problem import Problem
from ci.settings import Settings
from ci.supply import pull, store

_ANSWER_SECONDS = 3.0
_SILENT_SECONDS = 3600.0
"""How long a repository that did not answer is left alone: a run without network would wait each time."""


def archive(settings: Settings, repository: str, name: str, version: str) -> Path | None:
    """Return the packed chart, or None where the cache lacks it and `repository` does not answer.

    An archive that differs from the one seen first raises Problem, as an image does (docs/adr/0007).
    """
    target = settings.cache / "charts" / f"{name}-{version}-{store.digest(repository)}"
    if not target.is_dir() and not _answers(settings, repository):
        return None
    (found,) = store.once(target, lambda draft: _pull(settings, repository, name, version, draft)).iterdir()
    return found


def _answers(settings: Settings, repository: str) -> bool:
    """Whether the repository may be asked and answers; any HTTP status counts."""
    if supply.mode() == "build":
        return False
    silent = settings.cache / "charts" / f"silent-{store.digest(repository)}"
    if silent.exists() and time.time() - silent.stat().st_mtime < _SILENT_SECONDS:
        return False
    try:
        httpx.head(f"{repository}/index.yaml", timeout=_ANSWER_SECONDS)
    except (httpx.HTTPError, httpx.InvalidURL):
        silent.parent.mkdir(parents=True, exist_ok=True)
        silent.touch()
        return False
    return True


def _pull(settings: Settings, repository: str, name: str, version: str, folder: Path) -> None:
    helm = supply.tool(settings, "helm")
    with store.scratch(settings.cache) as home:
        own = {f"HELM_{part}_HOME": str(home / part.lower()) for part in ("CACHE", "CONFIG", "DATA")}
        try:
            shell.run(
                str(helm), "pull", name, "--repo", repository, "--version", version,
                "--destination", str(folder), env=own, timeout=120,
            )  # fmt: skip
        except shell.CommandFailed as failed:
            raise Problem(
                f"chart {name} {version} cannot be pulled from {repository}: {failed.last_words}",
                fix="correct the Application's chart and targetRevision, or set SLIPWAY_SUPPLY=build to leave it out",
            ) from failed
    (found,) = folder.iterdir()
    pull.check(
        settings,
        f"{repository}/{name}:{version}",
        [f"sha256:{hashlib.sha256(found.read_bytes()).hexdigest()}"],
    )
