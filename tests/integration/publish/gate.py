"""A door in front of a real registry: it counts manifests, and holds or breaks requests on demand."""

import http.client
import threading
from collections.abc import Callable
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

Rule = Callable[[str, str], "Verdict | None"]


class Verdict:
    """What happens to one request: hold it for ever, lose its answer, or answer something else."""

    def __init__(self, kind: str, status: int = 0) -> None:
        self.kind = kind
        self.status = status


HOLD, LOSE = Verdict("hold"), Verdict("lose")


class Gate:
    """Listens on 127.0.0.1:`port` (0: any) and passes everything to the registry at `upstream`."""

    def __init__(self, upstream: int, port: int = 0) -> None:
        self.upstream = upstream
        self.log: list[tuple[str, str]] = []
        self.rule: Rule = lambda _method, _path: None
        self.held = threading.Event()
        self.closing = threading.Event()
        gate = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                gate.handle(self)

            def do_HEAD(self) -> None:
                gate.handle(self)

            def do_PUT(self) -> None:
                gate.handle(self)

            def do_POST(self) -> None:
                gate.handle(self)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.port: int = self.server.server_address[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()

    def hold_manifest(self, number: int) -> None:
        """Hold the manifest with this number (from 1), so that the sender can be killed there."""
        self.held.clear()
        seen = 0

        def rule(method: str, path: str) -> Verdict | None:
            nonlocal seen
            seen += method == "PUT" and "/manifests/" in path
            return HOLD if seen >= number and method == "PUT" and "/manifests/" in path else None

        self.rule = rule

    def once(self, method: str, part: str, verdict: Verdict, times: int = 1) -> None:
        """Treat the next `times` requests of `method` whose path contains `part` by `verdict`."""
        left = times

        def rule(used: str, path: str) -> Verdict | None:
            nonlocal left
            if left and used == method and part in path:
                left -= 1
                return verdict
            return None

        self.rule = rule

    def open(self) -> None:
        """Let everything pass again, and forget what passed."""
        self.rule = lambda _method, _path: None
        self.log.clear()

    def sent(self, method: str, part: str) -> list[str]:
        """Paths of the requests of `method` that reached the registry and contain `part`."""
        return [path for used, path in self.log if used == method and part in path]

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        path = request.path.partition("?")[0]
        verdict = self.rule(request.command, path)
        if verdict is HOLD:
            self.held.set()
            self.closing.wait(60)
            request.close_connection = True
            return
        if verdict is not None and verdict.status:
            request.send_response(verdict.status)
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        with closing(http.client.HTTPConnection("127.0.0.1", self.upstream, timeout=30)) as upstream:
            upstream.request(request.command, request.path, body=body or None, headers=dict(request.headers))
            answer = upstream.getresponse()
            content = answer.read()
        self.log.append((request.command, path))
        if verdict is LOSE:
            request.close_connection = True
            return
        request.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "connection", "date", "server"):
                request.send_header(name, value)
        if answer.getheader("Content-Length") is None:
            request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)
