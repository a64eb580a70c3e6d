"""Python packages for an image, downloaded here: the build itself has no package index, and no login to one."""

import platform
from pathlib import Path

from ci import shell
from ci.problem import Problem

_GLIBC = range(36, 16, -1)
"""Minor versions of glibc that the images' Debian can run, newest first."""


def download(lock: Path, python: str, folder: Path) -> None:
    """Put the wheels that `lock` names, each checked by its hash, into `folder`, for Python `python`."""
    platforms = [f"manylinux_2_{minor}_{platform.machine()}" for minor in _GLIBC]
    options = [word for name in platforms for word in ("--platform", name)]
    folder.mkdir()
    try:
        shell.run(
            "python3", "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
            "--require-hashes", "--only-binary", ":all:", "--python-version", python, *options,
            "--dest", str(folder), "--requirement", str(lock),
        )  # fmt: skip
    except shell.CommandFailed as error:
        raise Problem(
            f"the wheels of {lock.parent.name} cannot be downloaded: {error.last_words}",
            fix="check that this machine's pip reaches its package index",
        ) from error
