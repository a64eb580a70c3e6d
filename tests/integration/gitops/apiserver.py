"""A real API server and its etcd as two processes: no node, no controller, nothing else."""

import csv
import secrets
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from ci.settings import Settings
from ci.supply import golang
from ci.supply.catalogue import load
from tests.ports import free_range

ISSUER = "https://oidc.eks.ap-northeast-1.amazonaws.com/id/TEST"
_SECONDS = 60


class ApiServer:
    """The API over HTTP: what a test applies, it takes or refuses with its own words."""

    def __init__(self, url: str, token: str, certificate: Path) -> None:
        self.certificate = certificate
        trusted = ssl.create_default_context(cafile=str(certificate))
        self.http = httpx.Client(
            base_url=url, verify=trusted, trust_env=False, timeout=20,
            headers={"Authorization": f"Bearer {token}"},
        )  # fmt: skip

    def apply(self, document: dict[str, Any], dry_run: bool = False) -> httpx.Response:
        """Apply a document server-side, with strict field validation."""
        query = {"fieldManager": "test", "force": "true", "fieldValidation": "Strict"}
        if dry_run:
            query["dryRun"] = "All"
        return self.http.patch(
            self.path(document), params=query, json=document,
            headers={"Content-Type": "application/apply-patch+yaml"},
        )  # fmt: skip

    def create(self, document: dict[str, Any], dry_run: bool = False) -> httpx.Response:
        """Create an object, or ask whether it could be created."""
        query = {"dryRun": "All"} if dry_run else {}
        return self.http.post(self.path(document).rpartition("/")[0], params=query, json=document)

    def path(self, document: dict[str, Any]) -> str:
        """The object's path; plural and scope are asked of the server."""
        version = document["apiVersion"]
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        listed = self.http.get(root).json().get("resources", [])
        kinds = [entry for entry in listed if entry["kind"] == document["kind"] and "/" not in entry["name"]]
        if not kinds:
            return f"{root}/unknown"  # the server says 404 to it
        kind = kinds[0]
        metadata = document["metadata"]
        within = f"/namespaces/{metadata['namespace']}" if kind["namespaced"] else ""
        return f"{root}{within}/{kind['name']}/{metadata['name']}"


@contextmanager
def running(settings: Settings, folder: Path) -> Iterator[ApiServer]:
    """Run etcd and kube-apiserver of the supply, with data in `folder`, until the block ends."""
    etcd_port = free_range(3)
    peer_port, port = etcd_port + 1, etcd_port + 2
    token = secrets.token_urlsafe(16)
    with (folder / "tokens.csv").open("w") as stream:
        csv.writer(stream).writerow([token, "admin", "admin", "system:masters"])
    _write_key(folder / "accounts.key")
    processes = [
        _start(
            folder, _program(settings, "etcd", "v3"), "--data-dir", str(folder / "etcd"), "--unsafe-no-fsync",
            "--listen-client-urls", f"http://127.0.0.1:{etcd_port}",
            "--advertise-client-urls", f"http://127.0.0.1:{etcd_port}",
            "--listen-peer-urls", f"http://127.0.0.1:{peer_port}",
        ),
        _start(
            folder, _program(settings, "kubernetes", "kube-apiserver"),
            "--etcd-servers", f"http://127.0.0.1:{etcd_port}", "--secure-port", str(port),
            "--bind-address", "127.0.0.1", "--cert-dir", str(folder / "certificates"),
            "--token-auth-file", str(folder / "tokens.csv"), "--authorization-mode", "RBAC",
            "--service-account-issuer", ISSUER, "--api-audiences", "https://kubernetes.default.svc",
            "--service-account-key-file", str(folder / "accounts.key"),
            "--service-account-signing-key-file", str(folder / "accounts.key"),
            "--service-cluster-ip-range", "10.96.0.0/16",
        ),
    ]  # fmt: skip
    try:
        certificate = folder / "certificates" / "apiserver.crt"
        deadline = time.monotonic() + _SECONDS
        while not (certificate.exists() and _ready(f"https://127.0.0.1:{port}", token, certificate)):
            assert time.monotonic() < deadline, (folder / "kube-apiserver.log").read_text()[-3000:]
            assert all(process.poll() is None for process in processes), "it ended"
            time.sleep(0.5)
        server = ApiServer(f"https://127.0.0.1:{port}", token, certificate)
        yield server
        server.http.close()
    finally:
        for process in reversed(processes):
            process.kill()  # asked politely, the API server takes a minute
            process.wait(20)


def _ready(url: str, token: str, certificate: Path) -> bool:
    server = ApiServer(url, token, certificate)
    try:
        return server.http.get("/readyz").status_code == 200
    except httpx.HTTPError:
        return False
    finally:
        server.http.close()


def _program(settings: Settings, component: str, name: str) -> Path:
    folder = golang.build(settings, load().get(component))
    found = folder / name
    return found if found.exists() else next(iter(folder.iterdir()))


def _start(folder: Path, program: Path, *arguments: str) -> subprocess.Popen[bytes]:
    with (folder / f"{program.name}.log").open("wb") as log:
        return subprocess.Popen([program, *arguments], stdout=log, stderr=subprocess.STDOUT, cwd=folder)


def _write_key(path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )
