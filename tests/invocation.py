"""Run a verb as a user does, as a process of its own, and look at what it left."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TWO_LINES = re.compile(r"error: (?P<what>[^\n]+)\n  fix: (?P<fix>[^\n]+)\n", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Ended:
    """A verb that came to an end; `seconds` is not kept, tests that care measure it."""

    code: int
    out: str
    err: str

    def succeeded(self) -> "Ended":
        assert self.code == 0, f"exit code {self.code}\n{self.out}\n{self.err}"
        return self

    def refused(self, what: str, fix: str = "") -> "Ended":
        """The two lines and nothing else, with these expressions in them, and exit code 1."""
        said = f"exit code {self.code}\nstdout:\n{self.out}\nstderr:\n{self.err}"
        lines = TWO_LINES.fullmatch(self.err)
        assert lines is not None, said
        assert self.code == 1, said
        assert re.search(what, lines["what"]), said
        assert re.search(fix, lines["fix"]), said
        return self


class Running:
    """A verb under way, with its children in a process group of its own."""

    def __init__(self, *argv: str, cwd: Path, env: Mapping[str, str], before: tuple[str, ...] = ()) -> None:
        self._process = subprocess.Popen(
            [*before, sys.executable, "-m", "invoke", *argv], cwd=cwd, env={**os.environ, **env},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            errors="replace", start_new_session=True,
        )  # fmt: skip

    def going(self) -> bool:
        return self._process.poll() is None

    def wait(self, seconds: float) -> Ended:
        """Wait for the end; when time is up, kill it all and fail with what it said so far."""
        try:
            out, err = self._process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            ended = self.kill()
            raise AssertionError(f"not done within {seconds:.0f} s\n{ended.out}\n{ended.err}") from None
        return Ended(self._process.returncode, out, err)

    def kill(self) -> Ended:
        """SIGKILL for the whole group at once: nothing gets to tidy up."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        out, err = self._process.communicate()
        return Ended(self._process.returncode, out, err)


def invoke(*argv: str, cwd: Path = ROOT, env: Mapping[str, str] | None = None, seconds: float = 60) -> Ended:
    """Run a verb to its end."""
    return Running(*argv, cwd=cwd, env=env or {}).wait(seconds)
