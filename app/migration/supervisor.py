"""Watches the migration from the main thread, so that whatever hangs, the last word is said."""

import queue
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType

from migration.journal import Journal
from migration.report import Report

_HEARTBEAT_SECONDS = 10.0
_GIVE_UP_SECONDS = 3.0
"""How long a cancelled migration may take to roll back before the process ends under it."""

TERMINATED = 143


class Stop(Exception):
    """The migration ends here, for a reason that people are told as it is."""


def supervise(
    work: Callable[[], str], cancel: Callable[[], None], journal: Journal, report: Report, deadline: float
) -> int:
    """Run `work` in a thread and return the exit code: 0, 1 or TERMINATED.

    `work` returns its last words or raises; `cancel` makes a running statement end. `deadline` is
    in seconds. The report is sent from here alone, so that a slow API server delays nothing.
    The thread may still hang when this returns: the caller must leave by os._exit.
    """
    ends_at = time.monotonic() + deadline
    outcome: list[tuple[bool, str]] = []
    thread = threading.Thread(target=_run, args=(work, journal, outcome), daemon=True)
    signal.signal(signal.SIGTERM, lambda number, frame: _on_signal(journal, frame))
    thread.start()
    reason = _watch(journal, report, ends_at)
    if reason != "done":
        interrupted = journal.step
        cancel()
        thread.join(_GIVE_UP_SECONDS)
    # What the thread reached counts, even when the deadline struck at the same moment.
    if outcome and (outcome[0][0] or reason == "done"):
        succeeded, words = outcome[0]
        journal.finish("succeeded" if succeeded else "failed", words)
        code = 0 if succeeded else 1
    elif reason == "terminate":
        journal.finish("terminated", f"terminated from outside during: {interrupted}")
        code = TERMINATED
    else:
        journal.finish("failed", f"not done after {deadline:.0f} s, given up during: {interrupted}")
        code = 1
    report(journal)
    return code


def _run(work: Callable[[], str], journal: Journal, outcome: list[tuple[bool, str]]) -> None:
    try:
        outcome.append((True, work()))
    except Stop as stop:
        outcome.append((False, str(stop)))
    except BaseException as problem:  # noqa: BLE001 - a thread's fault is told by the other thread
        outcome.append((False, f"{type(problem).__name__}: {problem}"))
    journal.news.put("done")


def _watch(journal: Journal, report: Report, ends_at: float) -> str:
    """Report each change until something ends the run; return done, terminate or deadline."""
    while True:
        heard = _next(journal, min(_HEARTBEAT_SECONDS, ends_at - time.monotonic()))
        if heard in ("done", "terminate"):
            return heard
        if time.monotonic() >= ends_at:
            return "deadline"
        report(journal)


def _next(journal: Journal, seconds: float) -> str:
    """Return what happened next: done and terminate before lines, as each report takes time."""
    heard = []
    try:
        heard.append(journal.news.get(timeout=max(0.0, seconds)))
        while True:
            heard.append(journal.news.get_nowait())
    except queue.Empty:
        pass
    for important in ("done", "terminate"):
        if important in heard:
            return important
    return "line" if heard else "quiet"


def _on_signal(journal: Journal, frame: FrameType | None) -> None:
    journal.news.put("terminate")
