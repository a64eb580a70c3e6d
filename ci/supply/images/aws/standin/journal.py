"""The journal of changes: one line for each, with the request that made it."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from . import disk, wire

FILE = "journal.jsonl"


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes: whose, where, which service and operation."""

    account: str
    region: str
    service: str
    operation: str


@dataclass(frozen=True, slots=True)
class Record:
    """One change. `time` is in seconds since 1970; `drawn` are answers with random content that it took."""

    number: int
    time: float
    target: Target
    request: wire.Request
    drawn: tuple[str, ...] = ()


class Journal:
    """Records in their order, on the volume; they hold secrets' values, as the volume has to."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE

    def add(self, record: Record) -> None:
        """Write a record; after the return it is on the disk."""
        request = record.request
        content = {
            "n": record.number,
            "time": round(record.time, 3),
            "target": [getattr(record.target, name) for name in Target.__slots__],
            "method": request.method,
            "path": request.path,
            "query": request.query,
            "headers": dict(request.headers),
            "body": base64.b64encode(request.body).decode(),
            "drawn": record.drawn,
        }
        disk.append(self._path, json.dumps(content).encode())

    def __iter__(self) -> Iterator[Record]:
        """Give the whole records; one that a kill left unfinished was never answered, and is cut off."""
        for line in disk.lines(self._path):
            content = json.loads(line)
            request = wire.Request(
                content["method"], content["path"], content["query"], content["headers"],
                base64.b64decode(content["body"]),
            )  # fmt: skip
            yield Record(
                content["n"], content["time"], Target(*content["target"]), request, tuple(content["drawn"])
            )
