"""The cache outside the work tree: finished things by content key, and what they took."""

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
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

    It must not be there; `once` sees to that. A kill leaves its draft behind, and the next builder clears it away.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    _clear_drafts(target)
    draft = target.with_name(f".{target.name}.{os.getpid()}-{threading.get_ident()}.part")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    try:
        yield draft
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    draft.rename(target)


def once(target: Path, make: Callable[[Path], None]) -> Path:
    """Return `target`; where it is missing, `make` fills an empty folder that becomes it.

    Who wants it meanwhile, in another thread or process, waits and finds it made: nothing is made twice, and nothing
    that is in use is replaced.
    """
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent / f".{target.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.is_dir():
            with building(target) as draft:
                make(draft)
    return target


@contextmanager
def scratch(cache: Path) -> Iterator[Path]:
    """Give a folder of one's own below the cache's work folder; it is gone afterwards."""
    work = cache / "work"
    work.mkdir(parents=True, exist_ok=True)
    for left in work.iterdir():
        if not _alive(left.name.partition("-")[0]):
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f"{os.getpid()}-", dir=work) as folder:
        yield Path(folder)


def _clear_drafts(target: Path) -> None:
    """Remove drafts of `target` whose process is gone."""
    for draft in target.parent.glob(f".{target.name}.*-*.*"):
        if not _alive(draft.name.removeprefix(f".{target.name}.").partition("-")[0]):
            shutil.rmtree(draft, ignore_errors=True)


def _alive(process: str) -> bool:
    return process.isdecimal() and Path(f"/proc/{process}").exists()


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
