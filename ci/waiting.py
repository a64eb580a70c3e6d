"""Waits that end: a deadline, a progress line, and the last state when time is up."""

import time
from collections.abc import Callable

from ci.problem import Problem
from ci.progress import Step


def until(
    ready: Callable[[], str | None],
    *,
    what: str,
    seconds: float,
    fix: str,
    every: float = 0.5,
    step: Step | None = None,
) -> None:
    """Call `ready` until it returns None; a string is the state it is still in.

    The state is shown on `step`. After `seconds` the wait raises Problem with `what` and the last
    state seen. `every` is the pause between calls, in seconds.
    """
    deadline = time.monotonic() + seconds
    while (state := ready()) is not None:
        if step is not None:
            step.note = state
        if time.monotonic() >= deadline:
            raise Problem(f"{what} within {seconds:.0f} s; last state: {state}", fix=fix)
        time.sleep(every)
    if step is not None:
        step.note = ""
