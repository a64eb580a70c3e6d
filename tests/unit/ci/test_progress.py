import threading
from io import StringIO

import pytest
from rich.console import Console

from ci import progress


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> StringIO:
    """A terminal that remembers what it was sent."""
    sent = StringIO()
    monkeypatch.setattr(progress, "console", Console(file=sent, force_terminal=True, width=100))
    return sent


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> StringIO:
    sent = StringIO()
    monkeypatch.setattr(progress, "console", Console(file=sent, force_terminal=False, width=100))
    return sent


def test_a_pipe_gets_plain_lines(pipe: StringIO) -> None:
    with progress.step("build [x]", 90) as current:
        current.note = "half"
    assert pipe.getvalue() == "- build [x] (about 90 s)\nok build [x]  0 s, half\n"


def test_a_failed_step_says_so(pipe: StringIO) -> None:
    def fail() -> None:
        with progress.step("build"):
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert pipe.getvalue() == "- build\nx build  0 s\n"


def test_steps_of_two_threads_share_the_terminal(terminal: StringIO) -> None:
    inner = threading.Event()
    seen: list[BaseException] = []

    def other() -> None:
        try:
            with progress.step("beside"):
                inner.wait(5)
        except BaseException as error:  # noqa: BLE001 - a thread's failure has to reach the test
            seen.append(error)

    with progress.step("main"):
        thread = threading.Thread(target=other)
        thread.start()
        inner.set()
        thread.join()
    assert seen == []
    assert "ok" in terminal.getvalue()
    assert terminal.getvalue().count("main  0 s") >= 1


@pytest.mark.parametrize(("seconds", "text"), [(8.4, "8 s"), (99, "99 s"), (200, "3 min 20 s")])
def test_durations_read_as_people_say_them(seconds: float, text: str) -> None:
    assert progress.clock(seconds) == text
