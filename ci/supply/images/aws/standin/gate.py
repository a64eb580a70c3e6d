"""The gate: who asks, whether the signature is theirs, whether they may, and only then moto."""

import functools
import hmac
import json
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import boto3

from . import answers, authorization, ecr, resources, services, signature, wire
from .control import PREFIX, Control
from .fault import Fault
from .faults import Faults
from .ledger import Broken, Ledger, Target
from .principals import Operator, Principal
from .services import Call
from .signature import Signature
from .stacks import Stacks
from .state import State
from .sts import WEB_IDENTITY, TokenService

_UNKNOWN_KEY = "The security token included in the request is invalid."


@dataclass(frozen=True, slots=True)
class Key:
    """An operator's long-lived key."""

    operator: Operator
    secret_key: str = field(repr=False)


@dataclass(slots=True)
class _Line:
    """What the access log says about one request; filled in as it becomes known. No secret goes here."""

    action: str = ""
    account: str = ""
    principal: str = ""
    resource: str = ""
    error: str = ""
    said: str = ""


class Gate:
    """The WSGI application."""

    def __init__(
        self,
        keys: Sequence[Key],
        state: State,
        ledger: Ledger,
        stacks: Stacks,
        faults: Faults,
        control: Control,
    ) -> None:
        self._keys = {key.operator.access_key: key for key in keys}
        self._accounts = {key.operator.account for key in keys}
        self._state = state
        self._ledger = ledger
        self._stacks = stacks
        self._faults = faults
        self._control = control
        self._tokens = TokenService(state)
        self._printing = threading.Lock()

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request."""
        started, line = time.monotonic(), _Line()
        try:
            request = wire.read(environ)
        except ValueError as error:
            answer = answers.bare_refusal(Fault("RequestEntityTooLarge", str(error), 413))
        else:
            answer = self.answer(request, line)
        self._log(environ, line, answer.status, time.monotonic() - started)
        headers = [(name, value) for name, value in answer.headers if name.lower() != "content-length"]
        start(f"{answer.status} {_PHRASES.get(answer.status, 'Answer')}", [
            *headers, ("Content-Length", str(len(answer.body))),
        ])  # fmt: skip
        return [answer.body]

    def answer(self, request: wire.Request, line: "_Line | None" = None) -> wire.Response:
        """Answer a request that was read."""
        line = line or _Line()
        if request.path.startswith(PREFIX):
            line.action = request.path
            return self._control.answer(request)
        service = None
        try:
            signed = signature.read(request)
            # Checked first, because clients may sign it or not: the token is what counts.
            web_identity = services.unsigned_action(request) == WEB_IDENTITY
            if signed is None and not web_identity:
                raise Fault("MissingAuthenticationToken", "Request is missing Authentication Token", 403)
            name = "sts" if web_identity or signed is None else signed.service
            service = services.find(request, name)
            if status := self._faults.strike(name):
                raise Fault("ServiceUnavailable", f"a test wants status {status}", status)
            if web_identity:
                return self._web_identity(request, service, line)
            assert signed is not None
            return self._signed(request, service, signed, line)
        except Fault as fault:
            line.error, line.said = fault.code, fault.message
            return answers.bare_refusal(fault) if service is None else answers.refusal(service, fault)
        except Exception:  # noqa: BLE001 - a fault of ours is an answer too, and the log has the rest
            traceback.print_exc()
            failure = Fault("InternalFailure", "The stand-in for AWS failed; its log says why.", 500)
            line.error = failure.code
            return answers.bare_refusal(failure) if service is None else answers.refusal(service, failure)

    def _web_identity(self, request: wire.Request, service: services.Service, line: _Line) -> wire.Response:
        call = services.understand(request, service, services.GLOBAL)
        line.action, line.resource = call.action, str(call.parameters.get("RoleArn", ""))
        account = line.resource.split(":")[4] if line.resource.count(":") >= 5 else ""
        if account and account not in self._accounts:
            raise Fault("AccessDenied", f"Not authorized to perform sts:{WEB_IDENTITY}", 403)
        with self._ledger.held(account or min(self._accounts), services.GLOBAL):
            return answers.result(call, self._tokens.with_web_identity(call.parameters))

    def _signed(
        self, request: wire.Request, service: services.Service, signed: Signature, line: _Line
    ) -> wire.Response:
        if signed.region not in _regions():
            raise Fault("SignatureDoesNotMatch", "Credential should be scoped to a valid region.", 0)
        principal = self._identify(request, signed)
        line.principal, line.account = principal.arn, principal.account
        call = services.understand(request, service, signed.region)
        line.action = call.action
        context = resources.context(call, principal, request.remote, self._state.clock())
        if service.name == "sts":
            with self._ledger.held(principal.account, services.GLOBAL):
                return answers.result(call, self._sts(call, principal, context))
        with self._ledger.held(principal.account, signed.region):
            targets = resources.targets(call, principal)
            line.resource = " ".join(target.resource for target in targets)
            authorization.check(principal, targets, context)
            if not resources.exists(call, principal.account):
                raise Fault("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
        return self._perform(request, call, principal)

    def _identify(self, request: wire.Request, signed: Signature) -> Principal:
        """Return whose key it is, after the signature and the session's token have proved it."""
        now = self._state.clock()
        session = self._state.session(signed.access_key)
        if session is not None:
            signature.verify(request, signed, session.secret_key, now)
            if not hmac.compare_digest((signed.token or "").encode(), session.token.encode()):
                raise Fault("InvalidClientTokenId", _UNKNOWN_KEY, 0)
            if session.expires <= now:
                raise Fault("ExpiredToken", "The security token included in the request is expired", 0)
            return session.principal
        key = self._keys.get(signed.access_key)
        if key is None or signed.token is not None:
            raise Fault("InvalidClientTokenId", _UNKNOWN_KEY, 0)
        signature.verify(request, signed, key.secret_key, now)
        return key.operator

    def _sts(self, call: Call, principal: Principal, context: Mapping[str, Any]) -> dict[str, Any]:
        wanted = str(call.parameters.get("RoleArn", "")).split(":")
        if len(wanted) > 5 and wanted[4] not in self._accounts:
            raise authorization.denied(principal, call.action, str(call.parameters["RoleArn"]))
        return self._tokens.answer(call.operation.name, call.parameters, principal, context)

    def _perform(self, request: wire.Request, call: Call, principal: Principal) -> wire.Response:
        if call.action == "ecr:GetAuthorizationToken":
            made = ecr.authorization_token(self._state, self._faults, principal, call.region)
            return answers.result(call, made)
        if call.service.name == "cloudformation":
            return answers.result(call, self._stacks.answer(request, call, principal.account))
        target = Target(principal.account, call.region, call.service.name, call.operation.name)
        try:
            return self._ledger.call(request, target)
        except Broken as error:
            code = "NotImplemented" if error.status == 501 else "InternalFailure"
            raise Fault(code, str(error), error.status) from error

    def _log(self, environ: Mapping[str, Any], line: _Line, status: int, seconds: float) -> None:
        if environ.get("PATH_INFO") == f"{PREFIX}health":
            return
        said = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "from": environ.get("REMOTE_ADDR", ""),
            "action": line.action,
            "principal": line.principal,
            "resource": line.resource,
            "status": status,
            "error": line.error,
            "message": line.said,
            "seconds": round(seconds, 3),
        }
        if line.action == f"{PREFIX}registry-auth":
            said["resource"] = f"{environ.get('HTTP_X_ORIGINAL_METHOD', '')} {_path(environ)}"
        text = json.dumps({key: value for key, value in said.items() if value != ""})
        with self._printing:
            print(text, file=sys.stdout, flush=True)


@functools.cache
def _regions() -> frozenset[str]:
    return frozenset(boto3.Session().get_available_regions("ec2"))


def _path(environ: Mapping[str, Any]) -> str:
    return str(environ.get("HTTP_X_ORIGINAL_URI", "")).partition("?")[0]


_PHRASES = {200: "OK", 204: "No Content", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden",
            404: "Not Found", 500: "Internal Server Error", 501: "Not Implemented"}  # fmt: skip
