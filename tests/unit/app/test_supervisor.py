import os
import signal
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from migration.journal import Journal
from migration.supervisor import TERMINATED, Stop, supervise


@pytest.fixture(autouse=True)
def _own_handler() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def _run(
    work: Callable[[Journal], str], cancel: Callable[[], None] = lambda: None, deadline: float = 5
) -> tuple[int, Journal, list[str]]:
    journal = Journal("v1.2.3")
    states: list[str] = []
    code = supervise(lambda: work(journal), cancel, journal, lambda said: states.append(said.state), deadline)
    return code, journal, states


def test_success() -> None:
    code, journal, states = _run(lambda journal: "all done")
    assert (code, journal.state, journal.step) == (0, "succeeded", "all done")
    assert states[-1] == "succeeded"
    assert journal.finished is not None


def test_stop_is_told_as_it_is() -> None:
    def work(journal: Journal) -> str:
        raise Stop("no such table")

    code, journal, states = _run(work)
    assert (code, journal.state, journal.step, states[-1]) == (1, "failed", "no such table", "failed")


def test_fault_is_told_with_its_kind() -> None:
    def work(journal: Journal) -> str:
        raise KeyError("x")

    code, journal, _ = _run(work)
    assert (code, journal.state, journal.step) == (1, "failed", "KeyError: 'x'")


def test_deadline_cancels_and_names_the_step() -> None:
    cancelled = threading.Event()

    def work(journal: Journal) -> str:
        journal.say("applying 0002")
        cancelled.wait(10)
        raise Stop("cancelled")

    code, journal, states = _run(work, cancelled.set, deadline=0.3)
    assert (code, journal.state) == (1, "failed")
    assert journal.step == "not done after 0 s, given up during: applying 0002"
    assert states[0] == "running"


def test_success_at_the_last_moment_counts() -> None:
    asked = threading.Event()

    def work(journal: Journal) -> str:
        asked.wait(10)
        return "committed"

    code, journal, _ = _run(work, asked.set, deadline=0.2)
    assert (code, journal.state, journal.step) == (0, "succeeded", "committed")


def test_sigterm_is_told_with_the_step() -> None:
    asked = threading.Event()

    def work(journal: Journal) -> str:
        journal.say("applying 0002")
        os.kill(os.getpid(), signal.SIGTERM)
        asked.wait(10)
        raise Stop("cancelled")

    code, journal, states = _run(work, asked.set)
    assert (code, journal.state, states[-1]) == (TERMINATED, "terminated", "terminated")
    assert journal.step == "terminated from outside during: applying 0002"


def test_slow_report_delays_neither_work_nor_its_end() -> None:
    journal = Journal("v1.2.3")

    def work() -> str:
        for number in range(20):
            journal.say(f"step {number}")
        return "all done"

    start = time.monotonic()
    code = supervise(work, lambda: None, journal, lambda said: time.sleep(0.3), 5)
    assert code == 0
    assert time.monotonic() - start < 4
