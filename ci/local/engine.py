"""The Docker engine: found, or installed and started where that is allowed."""

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

from ci import shell, waiting
from ci.local import host
from ci.problem import Problem
from ci.progress import step
from ci.settings import Settings
from ci.supply.images import ensure_package

_RUNTIME = "slipway"


def version() -> str | None:
    """Version of the engine that answers, or None."""
    try:
        found = shell.run("docker", "version", "--format", "{{.Server.Version}}", ok=(0, 1), timeout=20)
    except (Problem, shell.CommandFailed):
        return None
    return found.out.strip() or None if found.code == 0 else None


def ensure(settings: Settings) -> None:
    """Have an engine that can run privileged containers; install and start one where we may.

    Where DOCKER_HOST is set the user chose an engine, and it is never replaced by ours.
    """
    if version() is None:
        refuse_unless_allowed()
        with step("start a Docker engine on this machine") as current:
            if not installed():
                current.note = "installing Debian's docker.io"
                ensure_package("dockerd", "docker.io", "iptables")
                ensure_package("docker", "docker-cli")  # a package of its own since trixie
            current.note = "waiting for the engine"
            _start(settings)
    elif host.read().missing and not _has_wrapper():
        _restart_ours(settings)


def wrapper(settings: Settings) -> Path | None:
    """The runc wrapper for this host, written where a capability is missing, or None."""
    missing = host.read().missing
    if not missing:
        return None
    source = Path(__file__).with_name("runc-wrapper.sh").read_text()
    target = settings.cache / "engine" / "runc-wrapper"
    text = source.replace("@MISSING@", json.dumps(list(missing)))
    if not target.exists() or target.read_text() != text:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        target.chmod(0o755)
    return target


def installed() -> bool:
    """Whether the engine's program is on this machine."""
    return shutil.which("dockerd") is not None


def refuse_unless_allowed() -> None:
    """Raise Problem where no engine may be installed and started by us."""
    facts = host.read()
    if os.environ.get("DOCKER_HOST"):
        raise Problem(
            f"no Docker engine answers at DOCKER_HOST={os.environ['DOCKER_HOST']}",
            fix="start that engine, or unset DOCKER_HOST",
        )
    if not (facts.root and facts.debian):
        raise Problem(
            "no Docker engine answers, and only root on Debian may install one",
            fix="start Docker (or add yourself to its group), then run the command again",
        )


def _start(settings: Settings) -> None:
    folder = settings.cache / "engine"
    folder.mkdir(parents=True, exist_ok=True)
    argv = ["dockerd", "--pidfile", str(folder / "dockerd.pid")]
    if (runc := wrapper(settings)) is not None:
        ensure_package("jq", "jq")
        argv += ["--add-runtime", f"{_RUNTIME}={runc}", "--default-runtime", _RUNTIME]
    for stale in (Path("/var/run/docker.pid"), folder / "dockerd.pid"):
        if stale.exists() and not _alive(stale):
            stale.unlink()
    with (folder / "dockerd.log").open("ab") as log:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )

    def answers() -> str | None:
        if process.poll() is not None:
            raise Problem(f"dockerd ended with {process.returncode}", fix=f"read {folder / 'dockerd.log'}")
        return None if version() else "the engine does not answer yet"

    waiting.until(
        answers, what="the Docker engine did not start", seconds=90, fix=f"read {folder}/dockerd.log"
    )


def _has_wrapper() -> bool:
    found = shell.run("docker", "info", "--format", "{{.DefaultRuntime}}")
    return found.out.strip() == _RUNTIME


def _restart_ours(settings: Settings) -> None:
    """Give an engine that an older Slipway started without the wrapper its wrapper."""
    pidfile = settings.cache / "engine" / "dockerd.pid"
    if not _alive(pidfile):
        missing = ", ".join(host.read().missing)
        raise Problem(
            f"this machine lacks {missing}, so privileged containers fail in the running engine",
            fix="stop that dockerd and run the command again: ours starts with a wrapper",
        )
    with step("restart the Docker engine with the capability wrapper"):
        os.kill(int(pidfile.read_text()), signal.SIGTERM)
        waiting.until(
            lambda: "still running" if version() else None,
            what="the old Docker engine did not stop", seconds=60, fix=f"kill $(cat {pidfile})",
        )  # fmt: skip
        _start(settings)


def _alive(pidfile: Path) -> bool:
    try:
        pid = int(pidfile.read_text())
        return "dockerd" in Path(f"/proc/{pid}/cmdline").read_text()
    except (FileNotFoundError, ValueError, ProcessLookupError):
        return False
