"""Debian's Chromium, driven by Playwright, which downloads no browser of its own.

`python -m tests.e2e.browser` installs it where that is allowed and shows that it starts.
"""

import base64
import hashlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from playwright.sync_api import ConsoleMessage, Page, Response, sync_playwright
from playwright.sync_api import Request as PageRequest

from ci.problem import Problem
from ci.shell import CommandFailed
from ci.supply.images import ensure_package

PROGRAM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox",  # root in a container has no user namespaces to give
    "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-quic",
)  # fmt: skip


@dataclass
class Troubles:
    """What a page complained about: the console, failed requests, and error answers."""

    seen: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.seen.append(f"uncaught: {error}"))
        page.on("requestfailed", self._failed)
        page.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.seen.append(f"console: {message.text}")

    def _failed(self, request: PageRequest) -> None:
        self.seen.append(f"failed: {request.method} {request.url}: {request.failure}")

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            self.seen.append(f"answer {response.status}: {response.request.method} {response.url}")


@contextmanager
def opened(certificate: Path | None = None) -> Iterator[tuple[Page, Troubles]]:
    """A page of a fresh headless browser, watched from its first request on.

    It trusts the server certificate in the PEM file `certificate`; others that no public authority signed are errors
    as ever. Whom that certificate is signed by, other tests verify.
    """
    trusted = [f"--ignore-certificate-errors-spki-list={_key_hash(certificate)}"] if certificate else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PROGRAM, args=[*FLAGS, *trusted])
        page = browser.new_page(viewport={"width": 1100, "height": 900})
        troubles = Troubles()
        troubles.watch(page)
        try:
            yield page, troubles
        finally:
            browser.close()


def _key_hash(certificate: Path) -> str:
    """Base64 of the SHA-256 of the certificate's public key, as Chromium's flag wants it."""
    key = x509.load_pem_x509_certificate(certificate.read_bytes()).public_key()
    encoded = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(encoded).digest()).decode()


def main() -> None:
    """Have the browser, and start it once."""
    try:
        ensure_package("chromium", "chromium", "fonts-dejavu-core")
    except (Problem, CommandFailed) as problem:
        sys.exit(str(problem))
    with opened() as (page, _):
        page.set_content("<h1>ready</h1>")
        browser = page.context.browser
        print(f"Chromium {browser.version if browser else ''} is ready")


if __name__ == "__main__":
    main()
