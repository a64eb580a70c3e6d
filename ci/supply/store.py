"""The cache outside the work tree: finished things by content key, and what they took."""

import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ci.progress import Step


def digest(*parts: str | bytes) -> str:
    """Hash the parts, in order, to a key of 16 hexadecimal digits."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "big"))
        total.update(data)
    return total.hexdigest()[:16]


def folder_digest(folder: Path) -> str:
    """Hash names, modes and contents of all files below `folder`."""
    parts: list[str | bytes] = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and p.parent.name != "__pycache__"):
        parts += [str(path.relative_to(folder)), oct(path.stat().st_mode & 0o111), path.read_bytes()]
    return digest(*parts)


@contextmanager
def building(target: Path) -> Iterator[Path]:
    """Give an empty folder that becomes `target` only when the block ends well.

    A kill leaves the half-made folder beside it, and the next try clears it away.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.part")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    yield draft
    if target.exists():
        shutil.rmtree(target)
    draft.rename(target)


@contextmanager
def locked(cache: Path, step: Step | None = None) -> Iterator[None]:
    """Hold the cache for one builder at a time; a second process waits for the first."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if step is not None:
                step.note = "another process is building; waiting for it"
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def record(cache: Path, name: str, key: str, mode: str, seconds: float) -> None:
    """Remember how `name` was obtained and how long it took, in seconds."""
    journal = read_journal(cache)
    journal[name] = {"key": key, "mode": mode, "seconds": round(seconds, 1), "at": round(time.time())}
    path = cache / "journal.json"
    draft = path.with_suffix(".part")
    draft.write_text(json.dumps(journal, indent=1))
    os.replace(draft, path)


def read_journal(cache: Path) -> dict[str, dict[str, str | float]]:
    """Per component: key, mode (pull or build), seconds, and when (Unix time)."""
    try:
        journal: dict[str, dict[str, str | float]] = json.loads((cache / "journal.json").read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return journal
