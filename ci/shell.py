"""The one door to other programs."""

import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ci.problem import Problem


@dataclass(frozen=True, slots=True)
class Result:
    """What a finished program left: exit code and both streams, decoded."""

    code: int
    out: str
    err: str


class CommandFailed(Exception):
    """A program ended with an exit code that its caller did not allow."""

    def __init__(self, argv: Sequence[str], result: Result) -> None:
        self.argv = tuple(argv)
        self.result = result
        words = (result.err.strip() or result.out.strip())[-2000:]
        super().__init__(f"{shlex.join(argv[:6])} ended with {result.code}: {words}")

    @property
    def last_words(self) -> str:
        """The last line the program said, for one-line reports."""
        lines = (self.result.err.strip() or self.result.out.strip()).splitlines()
        return lines[-1] if lines else f"exit code {self.result.code}"


def run(
    *argv: str,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
    ok: Sequence[int] = (0,),
    timeout: float | None = None,
    log: Path | None = None,
) -> Result:
    """Run a program and return what it said.

    `env` is added to the caller's environment; put secrets there or in `stdin`, never in `argv`.
    `ok` lists the exit codes that are no failure; any other raises CommandFailed.
    `timeout` is in seconds and raises CommandFailed with code 124. With `log`, both streams are
    appended to that file as they come and `Result.out` is the tail of it.
    A missing program raises Problem.
    """
    full_env = {**os.environ, **env} if env else None
    try:
        if log is not None:
            result = _run_logged(argv, cwd, full_env, stdin, timeout, log)
        else:
            done = subprocess.run(
                argv, cwd=cwd, env=full_env, input=stdin, timeout=timeout,
                capture_output=True, text=True, errors="replace", check=False,
            )  # fmt: skip
            result = Result(done.returncode, done.stdout, done.stderr)
    except FileNotFoundError:
        if cwd is not None and not cwd.exists():
            raise Problem(f"folder {cwd} is missing", fix="run the command again") from None
        raise Problem(f"program '{argv[0]}' is missing", fix=f"install {argv[0]}") from None
    except subprocess.TimeoutExpired:
        result = Result(124, "", f"no answer within {timeout:.0f} s")
    if result.code not in ok:
        raise CommandFailed(argv, result)
    return result


def _run_logged(
    argv: Sequence[str],
    cwd: Path | None,
    env: Mapping[str, str] | None,
    stdin: str | None,
    timeout: float | None,
    log: Path,
) -> Result:
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a+b") as stream:
        start = stream.seek(0, os.SEEK_END)
        done = subprocess.run(
            argv, cwd=cwd, env=env, input=stdin.encode() if stdin else None, timeout=timeout,
            stdout=stream, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
        stream.seek(start)
        return Result(done.returncode, stream.read().decode(errors="replace")[-20_000:], "")
