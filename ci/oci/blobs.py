"""Compressed layers, kept by content, so that an unchanged layer is compressed once per machine."""

import contextlib
import hashlib
import json
import os
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from io import BufferedIOBase
from pathlib import Path
from typing import BinaryIO

from ci.oci.media import LAYER, Descriptor

_CHUNK = 1 << 20
_GZIP = 16 + zlib.MAX_WBITS
"""zlib's own gzip header has no name and time 0, which makes the bytes a function of the content."""


class Blobs:
    """A folder of compressed layers: `sha256/DIGEST` is content, `layers/DIFFID` says which digest.

    Files appear by rename only, so a kill leaves nothing half-written behind under a valid name.
    """

    def __init__(self, folder: Path) -> None:
        self._content = folder / "sha256"
        self._index = folder / "layers"
        self._content.mkdir(parents=True, exist_ok=True)
        self._index.mkdir(parents=True, exist_ok=True)

    def path(self, descriptor: Descriptor) -> Path:
        """Where the content of `descriptor` is."""
        return self._content / _hex(descriptor.digest)

    def layer(self, diff_id: str, open_tar: Callable[[], BufferedIOBase]) -> Descriptor:
        """Return the compressed layer of `diff_id`, made from `open_tar()` where it is not known.

        Raises ValueError where the content is not what `diff_id` says.
        """
        known = self._known(diff_id)
        if known is not None:
            os.utime(self.path(known))
            return known
        with self._new(self._content) as (part, target):
            found = _compress(open_tar, part, diff_id)
            target.append(self.path(found))
        with self._new(self._index) as (part, target):
            part.write(json.dumps({"digest": found.digest, "size": found.size}).encode())
            target.append(self._index / _hex(diff_id))
        return found

    def forget(self, descriptor: Descriptor) -> None:
        """Drop content that a registry found damaged, so that the next run makes it anew."""
        self.path(descriptor).unlink(missing_ok=True)

    def prune(self, days: float) -> int:
        """Delete what no release used for `days`; return how many bytes that freed."""
        freed = 0
        limit = time.time() - days * 86_400
        for path in self._content.iterdir():
            with contextlib.suppress(FileNotFoundError):
                entry = path.stat()
                if entry.st_mtime < limit:
                    path.unlink()
                    freed += entry.st_size
        return freed

    def _known(self, diff_id: str) -> Descriptor | None:
        entry = self._index / _hex(diff_id)
        try:
            found = json.loads(entry.read_bytes())
            descriptor = Descriptor(LAYER, found["digest"], found["size"])
            whole = self.path(descriptor).stat().st_size == descriptor.size
        except (FileNotFoundError, ValueError, KeyError):
            return None
        return descriptor if whole else None

    @contextlib.contextmanager
    def _new(self, folder: Path) -> Iterator[tuple[BinaryIO, list[Path]]]:
        handle, name = tempfile.mkstemp(dir=folder, prefix=".part-")
        target: list[Path] = []
        try:
            with os.fdopen(handle, "wb") as part:
                yield part, target
            Path(name).replace(target[0])
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


def _compress(open_tar: Callable[[], BufferedIOBase], part: BinaryIO, diff_id: str) -> Descriptor:
    plain, packed, size = hashlib.sha256(), hashlib.sha256(), 0
    with open_tar() as tar:
        head = tar.read(_CHUNK)
        # An engine with containerd's image store saves layers as they were pulled: compressed.
        unpack = zlib.decompressobj(_GZIP) if head[:2] == b"\x1f\x8b" else None
        pack = None if unpack else zlib.compressobj(6, zlib.DEFLATED, _GZIP)
        while head:
            plain.update(unpack.decompress(head) if unpack else head)
            size += _put(pack.compress(head) if pack else head, packed.update, part)
            head = tar.read(_CHUNK)
        if pack:
            size += _put(pack.flush(), packed.update, part)
    if diff_id != f"sha256:{plain.hexdigest()}":
        raise ValueError(f"layer {diff_id} is damaged: its content is sha256:{plain.hexdigest()}")
    return Descriptor(LAYER, f"sha256:{packed.hexdigest()}", size)


def _put(piece: bytes, update: Callable[[bytes], None], part: BinaryIO) -> int:
    update(piece)
    part.write(piece)
    return len(piece)


def _hex(digest: str) -> str:
    algorithm, _, value = digest.partition(":")
    if algorithm != "sha256" or len(value) != 64 or not value.isalnum():
        raise ValueError(f"'{digest}' is not a sha256 digest")
    return value
