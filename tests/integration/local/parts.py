"""What the tests of the local environment are made with: a node's stand-in, repositories, images."""

import json
import os
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ci import shell, supply
from ci.local import container
from ci.settings import Settings, load

_ORDINARY = supply.image

_RECEIVER = r"""
import http.server, json, sys, threading, time

class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        told = {"port": self.server.server_port, "path": self.path, "body": body, "time": time.time(),
                "headers": {k.lower(): v for k, v in self.headers.items()}}
        status = failures.pop() if failures else 200
        print(json.dumps({**told, "status": status}), flush=True)
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *a): pass

failures = [int(word) for word in sys.argv[1:]]
servers = [http.server.ThreadingHTTPServer(("", port), Handler) for port in (30081, 30082)]
for server in servers:
    threading.Thread(target=server.serve_forever).start()
"""


def image(_settings: Settings, name: str) -> str:
    """SLIPWAY_IMAGE_NAME where it is set, else the supply's image, made with the machine's own cache."""
    return os.environ.get(f"SLIPWAY_IMAGE_{name.upper()}") or _ORDINARY(load(), name)


@dataclass(frozen=True)
class Received:
    """One request that reached the node's place."""

    port: int
    path: str
    body: str
    time: float
    headers: dict[str, str]
    status: int


@dataclass(frozen=True)
class Node:
    """A container under the node's name that writes down what is posted to its NodePorts."""

    settings: Settings

    def start(self, *failures: int) -> None:
        """Answer the first requests with `failures` (last one first), then 200."""
        self.stop()
        container.network(self.settings)
        shell.run(
            "docker", "run", "--detach", "--name", self.settings.container("node"),
            "--label", f"slipway={self.settings.name}", "--network", self.settings.network,
            "--network-alias", self.settings.node, "--entrypoint", "python3",
            image(self.settings, "events"), "-u", "-c", _RECEIVER, *map(str, failures),
        )  # fmt: skip

    def stop(self) -> None:
        """Take the node away."""
        shell.run("docker", "rm", "--force", self.settings.container("node"), ok=(0, 1))

    def received(self) -> list[Received]:
        out = shell.run("docker", "logs", self.settings.container("node")).out
        return [Received(**json.loads(line)) for line in out.splitlines()]

    def wait(self, wanted: Callable[[Received], bool], seconds: float = 15) -> Received:
        """Return the first request that is `wanted`."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for request in self.received():
                if wanted(request):
                    return request
            time.sleep(0.1)
        raise AssertionError(f"not received within {seconds} s: {self.received()}")


@dataclass(frozen=True)
class Repository:
    """A git repository of the test's own, with a first commit."""

    path: Path

    @classmethod
    def create(cls, path: Path) -> "Repository":
        path.mkdir(parents=True)
        made = cls(path)
        made.git("init", "--quiet", "--initial-branch", "main")
        made.commit("README", "first\n")
        # A commit of its own: two tests within a second would else have the same one, and take each
        # other's webhook for theirs.
        when = {"GIT_COMMITTER_DATE": f"@{10**9 + secrets.randbelow(10**8)} +0000"}
        made.git("commit", "--amend", "--quiet", "--no-edit", env=when)
        return made

    def git(self, *args: str, ok: tuple[int, ...] = (0,), env: dict[str, str] | None = None) -> shell.Result:
        who = ("-c", "user.name=Tester", "-c", "user.email=tester@example.com")
        return shell.run("git", *who, *args, cwd=self.path, ok=ok, env=env)

    def commit(self, name: str, content: str) -> str:
        (self.path / name).write_text(content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "-m", f"change {name}\n\nin two lines")
        return self.head

    @property
    def head(self) -> str:
        return self.git("rev-parse", "HEAD").out.strip()
