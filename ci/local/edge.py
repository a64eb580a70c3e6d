"""The way in: the product by its host name, over TLS, as a browser on this machine reaches it."""

import ssl
from functools import cache
from pathlib import Path

import httpx

from ci.local import certificates
from ci.settings import Settings


def client(settings: Settings, timeout: float = 10.0) -> httpx.Client:
    """Return a client whose base URL is the product's; it trusts the environment's CA and no other."""
    return httpx.Client(base_url=settings.url, transport=transport(settings), timeout=timeout)


def transport(settings: Settings) -> "Transport":
    """Return the transport of `client`, for clients with settings of their own."""
    return Transport(certificates.ca(settings))


class Transport(httpx.HTTPTransport):
    """Reaches every name below `localhost` at 127.0.0.1, as browsers and curl do.

    Not every resolver does (glibc's knows `localhost` alone), so the connection goes to the address,
    and the name into the Host header and TLS.
    """

    def __init__(self, ca: Path) -> None:
        super().__init__(verify=_trusted(ca.read_text()), trust_env=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request to 127.0.0.1 under its own name."""
        host = request.url.host
        if host.endswith(".localhost"):
            # httpx took the Host header from the URL when the request was made; it stays.
            request.extensions = {**request.extensions, "sni_hostname": host}
            request.url = request.url.copy_with(host="127.0.0.1")
        return super().handle_request(request)


@cache
def _trusted(authority: str) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=authority)
