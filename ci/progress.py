"""Progress lines: one live line on a terminal, plain lines elsewhere."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.text import Text

console = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)

_QUIET_SECONDS = 20.0
"""Without a terminal, how long a step may be silent before it says that it still runs."""


def clock(seconds: float) -> str:
    """Format a duration in seconds for people: `8 s`, `3 min 20 s`."""
    whole = round(seconds)
    return f"{whole} s" if whole < 100 else f"{whole // 60} min {whole % 60:02d} s"


@dataclass
class Step:
    """One running step; `note` is the state shown beside it, `expected` seconds give time left."""

    title: str
    expected: float | None = None
    note: str = ""
    started: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """Seconds since the step began."""
        return time.monotonic() - self.started

    def line(self) -> str:
        """The step as one line: title, time so far, time left, state."""
        parts = [f"{self.title}  {clock(self.seconds)}"]
        if self.expected is not None and self.expected > self.seconds:
            parts.append(f"about {clock(self.expected - self.seconds)} left")
        if self.note:
            parts.append(self.note)
        return ", ".join(parts)


@contextmanager
def step(title: str, expected: float | None = None) -> Iterator[Step]:
    """Show `title` while the block runs, then one line with how long it took.

    On a terminal the line is live, and several steps of several threads share it; otherwise a plain
    line is printed at the start, whenever 20 s pass in silence, and at the end. `expected` is in
    seconds.
    """
    current = Step(title, expected)
    if not console.is_terminal:
        console.print(f"- {title}" + (f" (about {clock(expected)})" if expected else ""), markup=False)
    _board.add(current)
    try:
        yield current
    except BaseException:
        _board.remove(current)
        console.print(Text.assemble(("x ", "red"), f"{title}  {clock(current.seconds)}"))
        raise
    _board.remove(current)
    tail = f", {current.note}" if current.note else ""
    console.print(Text.assemble(("ok ", "green"), f"{title}  {clock(current.seconds)}{tail}"))


class _Board:
    """The running steps, reported by one thread: a terminal has one live line."""

    def __init__(self) -> None:
        self._steps: list[Step] = []
        self._lock = threading.Lock()
        self._reporter: threading.Thread | None = None
        self._idle = threading.Event()

    def add(self, current: Step) -> None:
        with self._lock:
            self._steps.append(current)
            if self._reporter is None:
                self._idle = threading.Event()  # a new one: the last reporter may still look at its own
                self._reporter = threading.Thread(target=self._report, args=(self._idle,), daemon=True)
                self._reporter.start()

    def remove(self, current: Step) -> None:
        with self._lock:
            self._steps.remove(current)
            last, reporter = not self._steps, self._reporter
            if last:
                self._reporter = None
                self._idle.set()
        if last and reporter is not None:
            reporter.join()  # the live line is gone before the closing one is printed

    def _report(self, idle: threading.Event) -> None:
        if console.is_terminal:
            with console.status(self._text()) as status:
                while not idle.wait(0.5):
                    status.update(self._text())
            return
        while not idle.wait(_QUIET_SECONDS):
            for current in self._running():
                if current.seconds >= _QUIET_SECONDS:
                    console.print(f"  ... {current.line()}", markup=False)

    def _running(self) -> list[Step]:
        return list(self._steps)

    def _text(self) -> Text:
        return Text("; ".join(current.line() for current in self._running()), no_wrap=True)


_board = _Board()
