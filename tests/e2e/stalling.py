"""The environment's ports once more, with a registry that stalls at one request.

That makes "killed after the first image" a fact and not a matter of luck: `release` runs against
these ports, and is killed while the request that would publish the next tag is held back.
"""

import selectors
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

from ci.settings import Settings
from tests.e2e.environment import until
from tests.invocation import Running
from tests.ports import free_range

_HOP = {"connection", "keep-alive", "transfer-encoding", "content-encoding"}


@dataclass
class Gate:
    """Holds back `method path` until the block ends, and then drops it."""

    method: str
    path: str
    port: int = 0
    reached: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)

    def wait(self, running: Running, seconds: float = 400) -> None:
        """Wait until the request is there."""

        def arrived() -> bool | None:
            if not running.going():
                ended = running.wait(10)
                raise AssertionError(f"ended before {self.method} {self.path}\n{ended.out}\n{ended.err}")
            return True if self.reached.is_set() else None

        until(arrived, f"{self.method} {self.path} did not come", seconds, every=0.05)


@contextmanager
def stalled(settings: Settings, method: str, path: str) -> Iterator[Gate]:
    """Open the ports; `Gate.port` is the value for SLIPWAY_PORT."""
    gate = Gate(method, path, port=free_range(5))
    servers: list[socketserver.BaseServer] = [
        _tunnel(gate.port, settings.port),
        _registry(gate, gate.port + 1, settings.registry_port),
        _tunnel(gate.port + 2, settings.git_port),
        _tunnel(gate.port + 3, settings.database_port),
        _tunnel(gate.port + 4, settings.aws_port),
    ]
    for server in servers:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield gate
    finally:
        gate.over.set()
        for server in servers:
            server.shutdown()
            server.server_close()


class _Tunnel(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True


def _tunnel(port: int, target: int) -> _Tunnel:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection(("127.0.0.1", target)) as other, suppress(OSError):
                _copy(self.request, other)

    return _Tunnel(("127.0.0.1", port), Handler)


def _copy(one: socket.socket, other: socket.socket) -> None:
    """Copy both ways until either side ends."""
    with selectors.DefaultSelector() as selector:
        selector.register(one, selectors.EVENT_READ, other)
        selector.register(other, selectors.EVENT_READ, one)
        while True:
            for key, _ in selector.select():
                source, target = key.fileobj, key.data
                assert isinstance(source, socket.socket)
                data = source.recv(65536)
                if not data:
                    return
                target.sendall(data)


def _registry(gate: Gate, port: int, target: int) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_request(self) -> None:
            if (self.command, self.path) == (gate.method, gate.path):
                gate.reached.set()
                gate.over.wait()
                self.close_connection = True
                return
            length = int(self.headers.get("Content-Length") or 0)
            headers = {name: text for name, text in self.headers.items() if name.lower() not in _HOP}
            # The Host header stays ours, so that upload locations lead back through here.
            headers["Accept-Encoding"] = "identity"
            answer = httpx.request(
                self.command,
                f"http://127.0.0.1:{target}{self.path}",
                headers=headers,
                content=self.rfile.read(length),
                timeout=120,
                trust_env=False,
            )
            self.send_response_only(answer.status_code)
            for name, text in answer.headers.items():
                if name.lower() not in _HOP:
                    self.send_header(name, text)
            if "Content-Length" not in answer.headers:
                self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.content)

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = handle_request  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads, server.block_on_close = True, False
    return server
