"""The last release's layers, for a build in an engine that has none, as a workflow's runner is.

Only a release's tag writes to production's registry, and what a version names is never replaced: no pull request and no
branch can put a layer there (docs/adr/0022-layers-of-the-last-release.md).
"""

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ci.oci import Credentials, Registry
from ci.problem import Problem
from ci.settings import IMAGES
from ci.version import Version


@contextlib.contextmanager
def of(opened: Registry, version: Version | None) -> Iterator[dict[str, str]]:
    """Yield the environment of a bake that takes over layers of the published `version`, if there is one.

    It holds the bake file's variables, and a configuration of Docker's with the login to the registry. The images say
    themselves of which steps their layers are, so that the next release can do the same.
    """
    sources = [f"{opened.host}/{name}:{version}" for name in IMAGES] if version else []
    with tempfile.TemporaryDirectory(prefix="slipway-docker-") as folder:
        configure(Path(folder), _configured(), opened.host, opened.login)
        yield {"CACHE_FROM": ",".join(sources), "CACHE_TO": "type=inline", "DOCKER_CONFIG": folder}


def configure(folder: Path, present: Path, host: str, login: Credentials | None) -> None:
    """Make the empty `folder` a configuration of Docker's like `present`, with the login to the registry `host`.

    Contexts, plugins and builders are links to those of `present`; its own file is not touched.
    """
    entries = list(present.iterdir()) if present.is_dir() else []
    for entry in entries:
        if entry.name != "config.json":
            (folder / entry.name).symlink_to(entry)
    told = _read(present / "config.json")
    if login is not None:
        # A store of credentials would be asked instead of this file; it knows nothing of this login.
        told.pop("credsStore", None)
        told["auths"] = told.get("auths", {}) | {host: {"auth": login.encoded}}
    target = folder / "config.json"
    target.touch(mode=0o600)
    target.write_text(json.dumps(told))


def _read(config: Path) -> dict[str, Any]:
    try:
        told = json.loads(config.read_text())
        if not isinstance(told, dict):
            raise ValueError("no object")
    except FileNotFoundError:
        return {}
    except (ValueError, OSError) as error:
        raise Problem(f"{config} cannot be read: {error}", fix="correct or remove it") from error
    return told


def _configured() -> Path:
    return Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
