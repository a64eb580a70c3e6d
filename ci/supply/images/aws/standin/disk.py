"""Files of the state volume: written whole or not at all, readable by nobody else."""

import os
import tempfile
from pathlib import Path


def write(path: Path, content: bytes) -> None:
    """Replace `path` in one step; after a return the new content is on the disk."""
    handle, name = tempfile.mkstemp(prefix=".new-", dir=path.parent)  # 0600
    with os.fdopen(handle, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(name, path)


def append(path: Path, line: bytes) -> None:
    """Add one line to `path`; after a return it is on the disk."""
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, line + b"\n")
        os.fsync(handle)
    finally:
        os.close(handle)


def lines(path: Path) -> list[bytes]:
    """Return the whole lines of `path`, after cutting off one that a kill left unfinished."""
    if not path.exists():
        return []
    content = path.read_bytes()
    whole, _, rest = content.rpartition(b"\n")
    if rest:
        os.truncate(path, len(content) - len(rest))
    return whole.split(b"\n") if whole else []
