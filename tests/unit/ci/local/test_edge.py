"""The client that reaches the product by its name, against a real TLS server."""

import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from ci.local import certificates, edge
from ci.settings import Settings, wiring


class Echo(BaseHTTPRequestHandler):
    """Answers with the Host it was asked for."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.headers["Host"].encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    made = HTTPServer(("127.0.0.1", 0), Echo)
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture
def settings(tmp_path: Path, server: HTTPServer) -> Settings:
    """An environment whose edge is the server, with a certificate of the environment's CA."""
    made = Settings("unit", server.server_address[1], wiring("local"), tmp_path)
    certificate, key = certificates.issue(made, "edge", certificates.edge_names(made))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return made


def test_the_name_is_asked_for_at_this_machine(settings: Settings) -> None:
    assert settings.url == f"https://ledger.slipway.localhost:{settings.port}"
    with edge.client(settings) as product:
        assert product.get("/").text == f"ledger.slipway.localhost:{settings.port}"


def test_another_authority_is_not_trusted(settings: Settings, tmp_path: Path) -> None:
    other = Settings("other", settings.port, settings.wiring, tmp_path)
    with edge.client(other) as product, pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        product.get("/")


def test_the_certificate_must_be_for_the_name(settings: Settings) -> None:
    with edge.client(settings) as product, pytest.raises(httpx.ConnectError, match="Hostname mismatch"):
        product.get(f"https://other.slipway.localhost:{settings.port}/")
