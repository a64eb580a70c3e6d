"""botocore clients that reach moto directly, through the ledger and without the gate."""

from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config

from . import signature, wire
from .ledger import Ledger, Target


class _Body:
    """An answer's body, in the shape that botocore reads."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_: Any) -> Any:
        """Give the whole body at once."""
        yield self._content


class Clients:
    """Makes clients of any account: `clients(service, account, region)`."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._session = boto3.Session("SLIPWAYGATE000000000", "unused")
        self._made: dict[tuple[str, str, str], Any] = {}

    def __call__(self, service: str, account: str, region: str) -> Any:
        """Return a client whose calls count as the account's own and are written down as others are.

        Making one takes a tenth of a second, so each is made once.
        """
        if (service, account, region) not in self._made:
            self._made[service, account, region] = self._make(service, account, region)
        return self._made[service, account, region]

    def _make(self, service: str, account: str, region: str) -> Any:
        config = Config(retries={"total_max_attempts": 1}, parameter_validation=True)
        client = self._session.client(service, region_name=region, config=config)

        def send(request: AWSPreparedRequest, event_name: str = "", **_: Any) -> AWSResponse:
            plain = _plain(request)
            signed = signature.read(plain)  # IAM and Route 53 are signed for a region of their own
            assert signed is not None
            target = Target(account, signed.region, signed.service, event_name.rpartition(".")[2])
            answer = self._ledger.call(plain, target)
            return AWSResponse(request.url, answer.status, dict(answer.headers), _Body(answer.body))

        client.meta.events.register("before-send", send)
        return client


def _plain(request: AWSPreparedRequest) -> wire.Request:
    url = urlsplit(request.url)
    headers = {
        name.lower(): value.decode() if isinstance(value, bytes) else str(value)
        for name, value in request.headers.items()
    }
    body = request.body or b""
    if hasattr(body, "read"):
        body = body.read()
    return wire.Request(
        request.method, url.path or "/", url.query, headers, body.encode() if isinstance(body, str) else body
    )
