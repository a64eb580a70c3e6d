"""The product's programs as real processes."""

import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

APP = Path(__file__).resolve().parents[3] / "app"


def _until(condition: Callable[[], Any], what: str, seconds: float = 30) -> Any:
    """Call `condition` until it returns something true; fail with `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(0.02)
    return found


@dataclass
class Process:
    """A program that was started, with what it said so far."""

    popen: "subprocess.Popen[bytes]"
    log: Path

    @property
    def said(self) -> str:
        """Both streams."""
        return self.log.read_text(errors="replace")

    def terminate(self) -> None:
        """Send SIGTERM, as the kubelet does."""
        self.popen.send_signal(signal.SIGTERM)

    def wait(self, seconds: float = 40) -> int:
        """Return the exit code."""
        return self.popen.wait(seconds)


@dataclass
class App(Process):
    """A running eks-app."""

    url: str
    client: httpx.Client

    def get(self, path: str) -> httpx.Response:
        """GET a path."""
        return self.client.get(self.url + path, timeout=20)

    def add(self, key: str, description: str = "coffee", amount: int = 350) -> httpx.Response:
        """POST an entry."""
        return self.client.post(
            f"{self.url}/api/entries",
            headers={"Idempotency-Key": key},
            json={"description": description, "amount": amount},
            timeout=20,
        )

    def requests(self) -> list[dict[str, Any]]:
        """The request lines of the log."""
        lines = [json.loads(line) for line in self.said.splitlines()]
        return [line for line in lines if line["message"] == "request"]


StartApp = Callable[..., App]
Migrate = Callable[..., Process]
Until = Callable[..., Any]


@pytest.fixture
def until() -> Until:
    """The bounded wait of this folder's tests."""
    return _until


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """Start a module of a source folder; whatever still runs at the end is killed."""
    started: list[Process] = []

    def run(module: str, source: Path, env: dict[str, str]) -> Process:
        log = tmp_path / f"{module}-{len(started)}.log"
        with log.open("wb") as stream:
            popen = subprocess.Popen(
                [sys.executable, "-m", module],
                env={**os.environ, "PYTHONPATH": str(source), "PYTHONDONTWRITEBYTECODE": "1", **env},
                stdout=stream,
                stderr=subprocess.STDOUT,
                cwd=tmp_path,
            )
        started.append(Process(popen, log))
        return started[-1]

    yield run
    for process in started:
        if process.popen.poll() is None:
            process.popen.kill()
            process.popen.wait()


@pytest.fixture
def start_app(start: Callable[..., Process]) -> Iterator[StartApp]:
    """Start eks-app and wait until /healthz answers."""
    client = httpx.Client()

    def run(credentials: Path, **env: str) -> App:
        port = _free_port()
        process = start(
            "ledger",
            APP,
            {
                "PORT": str(port), "DATABASE_DIR": str(credentials), "VERSION": "v1.2.3",
                "REVISION": "abc123", "SCHEMA_HEAD": "0001", "DRAIN_SECONDS": "0.5", **env,
            },
        )  # fmt: skip
        app = App(process.popen, process.log, f"http://127.0.0.1:{port}", client)
        _until(lambda: _answers(app), f"/healthz; {app.said}")
        return app

    with client:
        yield run


@pytest.fixture
def migrate(start: Callable[..., Process]) -> Migrate:
    """Start eks-migration from the work tree, or from `source`."""

    def run(credentials: Path, source: Path = APP, **env: str) -> Process:
        return start("migration", source, {"DATABASE_DIR": str(credentials), "VERSION": "v1.2.3", **env})

    return run


@pytest.fixture
def image_source(tmp_path: Path) -> Callable[..., Path]:
    """Make a source folder whose migration has further revisions: {id: body of upgrade()}."""

    def make(name: str, revisions: dict[str, str]) -> Path:
        folder = tmp_path / name
        shutil.copytree(APP / "migration", folder / "migration")
        parent = "0001"
        for revision, body in revisions.items():
            (folder / "migration" / "revisions" / f"{revision}.py").write_text(
                f'"""test {revision}"""\nimport time\nfrom alembic import op\n'
                f"revision = {revision!r}\ndown_revision = {parent!r}\n"
                f"def upgrade():\n    {body}\n"
            )
            parent = revision
        return folder

    return make


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _answers(app: App) -> bool:
    assert app.popen.poll() is None, app.said
    try:
        return app.get("/healthz").status_code == 200
    except httpx.TransportError:
        return False


@dataclass
class ClusterApi:
    """Stands for the API server: a ConfigMap and a Job that can be patched, over HTTPS with a token."""

    env: dict[str, str]
    data: dict[str, Any] = field(default_factory=dict)
    patches: list[dict[str, Any]] = field(default_factory=list)
    marks: list[dict[str, str]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    silent: bool = False

    def patch(self, request: BaseHTTPRequestHandler) -> int:
        """Apply a JSON merge patch; return the status."""
        body = json.loads(request.rfile.read(int(request.headers["Content-Length"])))
        of_job = request.path.startswith("/apis/batch/v1/namespaces/main/jobs/migration?")
        wanted = {
            "path": "/apis/batch/v1/namespaces/main/jobs/migration?fieldManager=eks-migration"
            if of_job
            else "/api/v1/namespaces/main/configmaps/migration-report?fieldManager=eks-migration",
            "type": "application/merge-patch+json",
            "token": "Bearer pod-token",
        }
        sent = {
            "path": request.path,
            "type": request.headers["Content-Type"],
            "token": request.headers["Authorization"],
        }
        if self.silent or sent != wanted or set(body) != {"metadata" if of_job else "data"}:
            time.sleep(10 if self.silent else 0)
            self.refused.append(f"{sent} {list(body)}")
            return 403
        if of_job:
            self.marks.append(body["metadata"]["annotations"])
            return 200
        self.patches.append(body["data"])
        merged = {**self.data, **body["data"]}
        self.data = {key: value for key, value in merged.items() if value is not None}
        return 200


@pytest.fixture
def cluster_api(tmp_path: Path) -> Iterator[ClusterApi]:
    """An HTTPS server that takes the migration's report, and the files of a ServiceAccount."""
    account = tmp_path / "serviceaccount"
    account.mkdir()
    key = _self_signed(account / "ca.crt", tmp_path / "key.pem")
    (account / "token").write_text("pod-token\n")
    (account / "namespace").write_text("main")

    class Handler(BaseHTTPRequestHandler):
        def do_PATCH(self) -> None:
            self.send_response(api.patch(self))
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trust.load_cert_chain(account / "ca.crt", key)
    server.socket = trust.wrap_socket(server.socket, server_side=True)
    api = ClusterApi(
        {
            "KUBERNETES_SERVICE_HOST": "127.0.0.1",
            "KUBERNETES_SERVICE_PORT": str(server.server_port),
            "SERVICE_ACCOUNT_DIR": str(account),
        }
    )
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield api
    server.shutdown()
    thread.join()
    server.block_on_close = False
    server.server_close()


def _self_signed(certificate: Path, key: Path) -> Path:
    """Write a certificate for 127.0.0.1 and its key; return the key's path."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(private, hashes.SHA256())
    )
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return key
