"""The one place where policies touch the disk: the repository's files, as bytes."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDERS = ("gitops", "infra", "app", ".github/workflows", "ci")
FILES = ("tasks.py", "noxfile.py")
_KINDS = (".toml", ".yaml", ".yml", ".conf", ".hcl", ".py", ".json", ".tpl", ".txt")
LARGEST = 4_000_000
"""Bytes; a larger file is no manifest that a person reads, and is not read here either."""


@dataclass(frozen=True, slots=True)
class Unread:
    """A file that is there and was not read, and why."""

    why: str


Files = dict[str, bytes | Unread]
"""Path in the repository, with slashes, to contents."""


def read(root: Path) -> Files:
    """Read what the rules look at below `root`."""
    return {path.relative_to(root).as_posix(): _contents(path) for path in sorted(_paths(root))}


def _paths(root: Path) -> Iterator[Path]:
    for folder in FOLDERS:
        for path in (root / folder).rglob("*"):
            relevant = folder == "gitops" or path.suffix in _KINDS or path.name == "Dockerfile"
            if relevant and "__pycache__" not in path.parts and (path.is_file() or path.is_symlink()):
                yield path
    yield from (root / name for name in FILES if (root / name).exists())


def _contents(path: Path) -> bytes | Unread:
    try:
        if (size := path.stat().st_size) > LARGEST:
            return Unread(f"it has {size / 1e6:.0f} MB, more than {LARGEST / 1e6:.0f}")
        return path.read_bytes()
    except OSError as error:
        return Unread(str(error.strerror or error).lower())
