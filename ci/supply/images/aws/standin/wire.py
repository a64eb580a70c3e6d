"""HTTP messages as plain data, to and from WSGI."""

import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

BODY_LIMIT = 16 * 1024 * 1024
"""Bytes of one request; AWS's own limits for the services used here are far below."""

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came: path and query still percent-encoded, header names in lower case."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    remote: str = ""

    @property
    def url(self) -> str:
        """The whole URL, with the host that the client named."""
        return f"http://{self.headers.get('host', '')}{self.path}" + (f"?{self.query}" if self.query else "")

    def without(self, *names: str, **changes: str) -> "Request":
        """Return the request without these headers, and with `changes` (`_` stands for `-`)."""
        kept = {name: value for name, value in self.headers.items() if name not in names}
        kept |= {name.replace("_", "-"): value for name, value in changes.items()}
        return replace(self, headers=kept)


@dataclass(frozen=True, slots=True)
class Response:
    """An answer, whole."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


def read(environ: Mapping[str, Any]) -> Request:
    """Read a request from a WSGI server; one that is too large raises ValueError."""
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): str(value)
        for name, value in environ.items()
        if name.startswith("HTTP_") or (name in ("CONTENT_TYPE", "CONTENT_LENGTH") and value)
    }
    raw = urlsplit(str(environ.get("RAW_URI") or environ.get("REQUEST_URI") or environ["PATH_INFO"]))
    return Request(
        method=str(environ["REQUEST_METHOD"]),
        path=raw.path if raw.path.startswith("/") else f"/{raw.path}",
        query=str(environ.get("QUERY_STRING", "")),
        headers=headers,
        body=_body(environ),
        remote=str(environ.get("REMOTE_ADDR", "")),
    )


def _body(environ: Mapping[str, Any]) -> bytes:
    length = str(environ.get("CONTENT_LENGTH") or "0")
    if not length.isdecimal() or int(length) > BODY_LIMIT:
        raise ValueError("the body is too large")
    stream = environ["wsgi.input"]
    if not environ.get("wsgi.input_terminated"):
        return bytes(stream.read(int(length)))
    body = bytes(stream.read(BODY_LIMIT + 1))
    if len(body) > BODY_LIMIT:
        raise ValueError("the body is too large")
    return body


def environment(request: Request) -> dict[str, Any]:
    """Return the WSGI environment of a request that is made here."""
    host = request.headers.get("host", "localhost")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(request.path).decode("latin-1"),
        "RAW_URI": request.path + (f"?{request.query}" if request.query else ""),
        "QUERY_STRING": request.query,
        "SERVER_NAME": host.partition(":")[0],
        "SERVER_PORT": host.partition(":")[2] or "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": request.remote,
        "CONTENT_LENGTH": str(len(request.body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in request.headers.items():
        if name == "content-type":
            environ["CONTENT_TYPE"] = value
        elif name not in ("content-length", "transfer-encoding"):
            environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
    return environ


def call(application: Application, request: Request) -> Response:
    """Hand a request to a WSGI application and return its whole answer."""
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start(status: str, headers: list[tuple[str, str]], _error: Any = None) -> Callable[[bytes], None]:
        started.append((status, headers))
        return lambda _: None

    parts = application(environment(request), start)
    try:
        body = b"".join(parts)
    finally:
        getattr(parts, "close", lambda: None)()
    status, headers = started[-1]
    return Response(int(status.split(" ", 1)[0]), body, tuple(headers))
