"""Logging in: real registries that ask for Basic, and for a token from a service that they name."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from testcontainers.core.container import DockerContainer

from ci.oci import Credentials, Registry, RegistryError
from ci.oci.media import CONFIG, Descriptor, digest, image_manifest
from tests.integration.publish.conftest import REGISTRY_IMAGE, wait_for

pytestmark = pytest.mark.integration
USER = Credentials("AWS", "pass:word")
# bcrypt of the password above, which is all this registry knows.
HTPASSWD = "AWS:$2b$05$uxdgMM40cK5ZiqU8Y3TVQORhWv22mnzzfKlg5VieM3yZTcljP3Ita\n"
CONTENT = b'{"config": {}}'


def round_trip(registry: Registry, name: str) -> None:
    """Write and read everything once."""
    config = Descriptor(CONFIG, digest(CONTENT), len(CONTENT))
    registry.upload(name, config, CONTENT)
    manifest = image_manifest(config, [], {"a": "1"})
    assert registry.put_manifest(name, "v1.0.0", manifest) == manifest.digest
    assert registry.tags(name) == ["v1.0.0"]
    assert registry.digest(name, "v1.0.0") == manifest.digest
    assert registry.manifest(name, manifest.digest) == manifest
    assert registry.config(name, manifest) == CONTENT
    assert registry.upload(name, config, CONTENT) is False
    assert registry.manifest(name, "v9.9.9") is None
    assert registry.tags("no/such") == []


@pytest.fixture(scope="module")
def basic_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("basic")
    (folder / "htpasswd").write_text(HTPASSWD)
    container = (
        DockerContainer(REGISTRY_IMAGE)
        .with_exposed_ports(5000)
        .with_env("REGISTRY_AUTH", "htpasswd")
        .with_env("REGISTRY_AUTH_HTPASSWD_REALM", "test")
        .with_env("REGISTRY_AUTH_HTPASSWD_PATH", "/auth/htpasswd")
        .with_volume_mapping(str(folder), "/auth", "ro")
    )
    with container:
        port = int(container.get_exposed_port(5000))
        wait_for(port)
        yield port


def test_basic(basic_port: int) -> None:
    with Registry(f"http://127.0.0.1:{basic_port}", USER) as registry:
        assert registry.answers()
        round_trip(registry, "a/basic")


@pytest.mark.parametrize("credentials", [None, Credentials("AWS", "wrong")])
def test_basic_refused(basic_port: int, credentials: Credentials | None) -> None:
    with Registry(f"http://127.0.0.1:{basic_port}", credentials) as registry:
        assert registry.answers()
        started = time.monotonic()
        with pytest.raises(RegistryError, match="UNAUTHORIZED") as raised:
            registry.tags("a/basic")
        assert raised.value.status == 401
        assert time.monotonic() - started < 2  # not tried again


class TokenService:
    """Gives tokens that the registry accepts: signed, for one scope, valid for `seconds`."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "token service")])
        now = datetime.now(UTC)
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self.key, hashes.SHA256())
        )
        self.asked: list[str] = []
        self.seconds = 300
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                query = parse_qs(urlsplit(self.path).query)
                allowed = self.headers.get("Authorization") == USER.header
                body = json.dumps({"token": service.token(query)} if allowed else {}).encode()
                self.send_response(200 if allowed else 401)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def token(self, query: dict[str, list[str]]) -> str:
        scope = query.get("scope", [""])[0]
        self.asked.append(scope)
        kind, _, rest = scope.partition(":")
        name, _, actions = rest.rpartition(":")
        access = [{"type": kind, "name": name, "actions": actions.split(",")}] if scope else []
        now = int(time.time())
        chain = base64.b64encode(self.certificate.public_bytes(serialization.Encoding.DER)).decode()
        header = {"alg": "RS256", "typ": "JWT", "x5c": [chain]}
        claims = {
            "iss": "test", "aud": query["service"][0], "sub": "x", "jti": str(now), "access": access,
            "iat": now - 400, "nbf": now - 400, "exp": now + self.seconds,
        }  # fmt: skip
        signed = ".".join(_segment(json.dumps(part).encode()) for part in (header, claims))
        signature = self.key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{_segment(signature)}"


def _segment(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@pytest.fixture(scope="module")
def service() -> Iterator[TokenService]:
    found = TokenService()
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture(scope="module")
def bearer_port(service: TokenService, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder: Path = tmp_path_factory.mktemp("bearer")
    (folder / "ca.pem").write_bytes(service.certificate.public_bytes(serialization.Encoding.PEM))
    container = (
        DockerContainer(REGISTRY_IMAGE)
        .with_exposed_ports(5000)
        .with_env("REGISTRY_AUTH", "token")
        .with_env("REGISTRY_AUTH_TOKEN_REALM", f"http://127.0.0.1:{service.server.server_address[1]}/token")
        .with_env("REGISTRY_AUTH_TOKEN_SERVICE", "registry.test")
        .with_env("REGISTRY_AUTH_TOKEN_ISSUER", "test")
        .with_env("REGISTRY_AUTH_TOKEN_ROOTCERTBUNDLE", "/auth/ca.pem")
        .with_volume_mapping(str(folder), "/auth", "ro")
    )
    with container:
        port = int(container.get_exposed_port(5000))
        wait_for(port)
        yield port


def test_bearer(bearer_port: int, service: TokenService) -> None:
    service.asked.clear()
    with Registry(f"http://127.0.0.1:{bearer_port}", USER) as registry:
        round_trip(registry, "a/bearer")
    # One token to read and one to write, used for every request of the repository.
    assert service.asked.count("repository:a/bearer:pull") == 1
    assert len([scope for scope in service.asked if "a/bearer" in scope and "push" in scope]) == 1


def test_bearer_renewed_when_it_ends(bearer_port: int, service: TokenService) -> None:
    with Registry(f"http://127.0.0.1:{bearer_port}", USER) as registry:
        service.seconds = -200  # the registry refuses what ended more than a minute ago
        with pytest.raises(RegistryError, match="UNAUTHORIZED"):
            registry.tags("a/renewed")
        service.seconds = 300
        assert registry.tags("a/renewed") == []


def test_bearer_refused(bearer_port: int) -> None:
    with (
        Registry(f"http://127.0.0.1:{bearer_port}", Credentials("AWS", "wrong")) as registry,
        pytest.raises(RegistryError) as raised,
    ):
        registry.tags("a/bearer")
    assert raised.value.status == 401
