import errno
from pathlib import Path
from typing import Annotated

import pytest
from invoke.collection import Collection
from invoke.program import Program

from ci.problem import Problem
from ci.shell import CommandFailed, Result
from ci.verb import as_problem, verb

seen: list[tuple[str, bool]] = []


def ship(version: Annotated[str, "the version"], wait: Annotated[bool, "wait for it"] = True) -> None:
    """Ship it."""
    seen.append((version, wait))


def fail(what: str) -> None:
    """Fail in some way."""
    raise {
        "problem": Problem("it is wrong", fix="make it right"),
        "bug": KeyError("x"),
        "stop": KeyboardInterrupt(),
    }[what]


def program() -> Program:
    """A program of the two verbs; Invoke takes a task's help texts only once, so they are new."""
    return Program(namespace=Collection(verb(ship), verb(fail)), name="invoke")


def invoke(*arguments: str) -> int:
    try:
        program().run(["invoke", *arguments])
    except SystemExit as end:
        return int(end.code or 0)
    return 0


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLIPWAY_DEBUG", raising=False)
    seen.clear()


def test_flags_arrive() -> None:
    assert invoke("ship", "--version", "v1.2.3", "--no-wait") == 0
    assert seen == [("v1.2.3", False)]


def test_help_works_with_a_required_flag(capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke("ship", "--help") == 0
    shown = capsys.readouterr().out
    assert "--version=STRING   the version (required)" in shown
    assert "--[no-]wait        wait for it" in shown
    assert "--debug" in shown
    assert seen == []


def test_a_missing_flag_is_a_two_line_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke("ship") == 1
    assert capsys.readouterr().err == "error: 'ship' needs --version\n  fix: invoke ship --help\n"


def test_a_value_does_not_become_a_positional(capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke("ship", "v1.2.3") == 1
    assert "v1.2.3" in capsys.readouterr().err
    assert seen == []


def test_a_problem_is_two_lines_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke("fail", "--what", "problem") == 1
    caught = capsys.readouterr()
    assert caught.err == "error: it is wrong\n  fix: make it right\n"
    assert caught.out == ""


def test_a_bug_is_two_lines_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke("fail", "--what", "bug") == 1
    assert capsys.readouterr().err == (
        "error: unexpected KeyError: 'x'\n  fix: run it again with --debug to see where\n"
    )


def test_debug_shows_the_traceback() -> None:
    with pytest.raises(KeyError):
        program().run(["invoke", "fail", "--what", "bug", "--debug"])


def test_the_variable_shows_the_traceback_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_DEBUG", "1")
    with pytest.raises(Problem):
        program().run(["invoke", "fail", "--what", "problem"])


def test_an_interrupt_is_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke("fail", "--what", "stop") == 130
    assert capsys.readouterr().err == "\nstopped; the same command goes on from here\n"


def test_a_full_disk() -> None:
    found = as_problem(OSError(errno.ENOSPC, "No space left on device", str(Path("/cache/x"))))
    assert found.what == "the disk is full: /cache/x"
    command = CommandFailed(["docker", "save"], Result(1, "", "write x: no space left on device"))
    assert as_problem(command).what == "the disk is full: write x: no space left on device"


def test_a_failed_command_names_itself() -> None:
    found = as_problem(CommandFailed(["docker", "tag", "a", "b"], Result(1, "", "one\nno such image\n")))
    assert found.what == "docker tag a failed: no such image"
