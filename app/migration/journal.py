"""What the migration says: on stdout, and kept for the report."""

import queue
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import quote

State = Literal["running", "succeeded", "failed", "terminated"]

LONGEST_MESSAGE = 2000


def now() -> str:
    """Return the time as the report shows it: UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Journal:
    """The words of one run, safe to use from two threads.

    `news` gets an item whenever something changed; SimpleQueue, because a signal handler puts too.
    """

    version: str
    started: str = field(default_factory=now)
    state: State = "running"
    finished: str | None = None
    revision: str | None = None
    news: "queue.SimpleQueue[str]" = field(default_factory=queue.SimpleQueue)
    _lines: list[str] = field(default_factory=list)
    _secrets: set[str] = field(default_factory=set)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def hide(self, secret: str) -> None:
        """Never let `secret` appear in a line, neither as it is nor as part of a URL."""
        self._secrets |= {secret, quote(secret, safe="")}

    def redact(self, text: str) -> str:
        """Return `text` without any secret; the longest first, as one may contain another."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, "***")
        return text

    def say(self, line: str) -> None:
        """Add a line: the step that begins now, or what came of it."""
        line = self.redact(line.strip())
        with self._guard:
            self._lines.append(line)
            print(f"{now()} {line}", flush=True)
        self.news.put("line")

    def finish(self, state: State, line: str) -> None:
        """Say the last line and what became of the run."""
        self.say(line)
        self.state, self.finished = state, now()

    @property
    def step(self) -> str:
        """The newest line: what runs at this moment."""
        with self._guard:
            return self._lines[-1] if self._lines else "starting"

    @property
    def message(self) -> str:
        """The last lines, as many as fit into the report."""
        with self._guard:
            return "\n".join(self._lines)[-LONGEST_MESSAGE:]
