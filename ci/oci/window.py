"""A part of a file, read as if it were a file of its own."""

import io
from pathlib import Path


class Window(io.BufferedIOBase):
    """`size` bytes of `path` from `offset` on, opened separately from any other reader."""

    def __init__(self, path: Path, offset: int, size: int) -> None:
        self._stream = path.open("rb")
        self._stream.seek(offset)
        self._left = size

    def readable(self) -> bool:
        """Say that this stream can be read."""
        return True

    def read(self, size: int | None = -1) -> bytes:
        """Read up to `size` bytes, all that is left by default."""
        wanted = self._left if size is None or size < 0 else min(size, self._left)
        piece = self._stream.read(wanted)
        self._left -= len(piece)
        return piece

    def close(self) -> None:
        """Close the file."""
        self._stream.close()
        super().close()
