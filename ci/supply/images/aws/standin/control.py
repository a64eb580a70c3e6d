"""The stand-in's own control plane, for bootstrap and tests: `/_slipway/...`."""

import hmac
import json
from typing import Any
from urllib.parse import urlsplit

import jwt

from . import wire
from .faults import Faults
from .ledger import Replayed
from .registry import RegistryGate
from .state import State

PREFIX = "/_slipway/"
_MANIFEST = f"{PREFIX}registry"


class Control:
    """Answers what is under PREFIX. Changing anything takes the bearer secret."""

    def __init__(
        self, state: State, faults: Faults, registry: RegistryGate, secret: str, replayed: Replayed
    ) -> None:
        self._state = state
        self._faults = faults
        self._registry = registry
        self._secret = secret
        self._replayed = replayed

    def answer(self, request: wire.Request) -> wire.Response:
        """Answer one request."""
        if request.path == f"{PREFIX}registry-auth":
            return self._registry.decide(request)
        if request.path.startswith(f"{_MANIFEST}/v2/") and request.method == "PUT":
            uri = request.path.removeprefix(_MANIFEST) + (f"?{request.query}" if request.query else "")
            return self._registry.put_manifest(request, uri)
        if request.path == f"{PREFIX}health" and request.method == "GET":
            return _json(200, {"replayed": self._replayed.records, "failed": list(self._replayed.failed)})
        if not self._trusted(request):
            return _json(401, {"error": "the bearer secret is missing or wrong"})
        try:
            return self._change(request)
        except ValueError as error:
            return _json(400, {"error": str(error)})

    def _change(self, request: wire.Request) -> wire.Response:
        if request.method == "PUT" and request.path == f"{PREFIX}issuers":
            issuer, jwks = _issuer(json.loads(request.body))
            self._state.set_issuer(issuer, jwks)
        elif request.method == "PUT" and request.path == f"{PREFIX}settings":
            self._faults.set(json.loads(request.body))
        else:
            return _json(404, {"error": f"nothing is at {request.method} {request.path}"})
        return wire.Response(204)

    def _trusted(self, request: wire.Request) -> bool:
        given = request.headers.get("authorization", "")
        return bool(self._secret) and hmac.compare_digest(given.encode(), f"Bearer {self._secret}".encode())


def _issuer(content: Any) -> tuple[str, dict[str, Any]]:
    """Read an issuer and its keys; private parts of keys have no business here."""
    if not isinstance(content, dict) or not isinstance(content.get("jwks"), dict):
        raise ValueError("an issuer is {issuer, jwks}")
    issuer, jwks = content.get("issuer"), content["jwks"]
    if not isinstance(issuer, str) or urlsplit(issuer).scheme != "https" or not urlsplit(issuer).hostname:
        raise ValueError("an issuer is an https URL")
    keys = jwks.get("keys")
    if not isinstance(keys, list) or not keys:
        raise ValueError("the JWKS has no keys")
    for key in keys:
        try:
            jwt.PyJWK(key)
        except (jwt.PyJWTError, AttributeError, TypeError) as error:
            raise ValueError(f"a key cannot be read: {error}") from None
        if "d" in key or key.get("kty") == "oct":
            raise ValueError("a key is not a public one")
    return issuer, jwks


def _json(status: int, content: dict[str, Any]) -> wire.Response:
    return wire.Response(status, json.dumps(content).encode(), (("Content-Type", "application/json"),))
