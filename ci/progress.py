"""Progress lines: one live line on a terminal, plain lines elsewhere."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console

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

    On a terminal the line is live; otherwise a plain line is printed at the start, whenever
    20 s pass in silence, and at the end. `expected` is in seconds.
    """
    current = Step(title, expected)
    stop = threading.Event()
    reporter = threading.Thread(target=_report, args=(current, stop), daemon=True)
    if not console.is_terminal:
        console.print(f"- {title}" + (f" (about {clock(expected)})" if expected else ""))
    reporter.start()
    try:
        yield current
    except BaseException:
        _finish(stop, reporter)
        console.print(f"[red]x[/red] {title}  {clock(current.seconds)}", style=None)
        raise
    _finish(stop, reporter)
    tail = f", {current.note}" if current.note else ""
    console.print("[green]ok[/green] ", end="")
    console.print(f"{title}  {clock(current.seconds)}{tail}", markup=False)


def _report(current: Step, stop: threading.Event) -> None:
    if console.is_terminal:
        with console.status(current.line()) as status:
            while not stop.wait(0.5):
                status.update(current.line())
        return
    while not stop.wait(_QUIET_SECONDS):
        console.print(f"  ... {current.line()}", markup=False)


def _finish(stop: threading.Event, reporter: threading.Thread) -> None:
    stop.set()
    reporter.join()
