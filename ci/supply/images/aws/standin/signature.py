"""Signature Version 4: read it from a request, and verify it with botocore's own signing code."""

import datetime as dt
import hashlib
import hmac
import re
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl

from botocore.auth import UNSIGNED_PAYLOAD, S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials

from . import wire
from .fault import Fault

ALGORITHM = "AWS4-HMAC-SHA256"
SKEW = 300
"""Seconds that a client's clock may differ, as AWS allows."""

_FORMAT = "%Y%m%dT%H%M%SZ"
_SCOPE = re.compile(r"([^/]+)/(\d{8})/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request")
_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
    "Access Key and signing method. Consult the service documentation for details."
)


@dataclass(frozen=True, slots=True)
class Signature:
    """What a request says about its signature; `lifetime` is of a presigned URL, in seconds."""

    access_key: str
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    value: str
    time: str
    token: str | None = None
    lifetime: int | None = None


def read(request: wire.Request) -> Signature | None:
    """Read the signature of a request, from its header or its query; None where it has none.

    One that cannot be read is a Fault.
    """
    header = request.headers.get("authorization")
    query = dict(parse_qsl(request.query, keep_blank_values=True))
    if header is not None:
        return _from_header(request, header)
    if "X-Amz-Signature" in query or "X-Amz-Algorithm" in query:
        return _from_query(query)
    return None


def _from_header(request: wire.Request, header: str) -> Signature:
    algorithm, _, rest = header.partition(" ")
    if algorithm != ALGORITHM:
        raise _incomplete(f"Unsupported AWS 'algorithm': '{algorithm}'.")
    fields = dict(part.strip().partition("=")[::2] for part in rest.split(","))
    for name in ("Credential", "SignedHeaders", "Signature"):
        if not fields.get(name):
            raise _incomplete(f"Authorization header requires '{name}' parameter.")
    time = request.headers.get("x-amz-date")
    if time is None:
        raise _incomplete("Authorization header requires existence of an 'X-Amz-Date' header.")
    return _signature(
        fields["Credential"], fields["SignedHeaders"], fields["Signature"], time,
        request.headers.get("x-amz-security-token"), None,
    )  # fmt: skip


def _from_query(query: dict[str, str]) -> Signature:
    for name in ("Algorithm", "Credential", "Date", "SignedHeaders", "Signature", "Expires"):
        if not query.get(f"X-Amz-{name}"):
            raise _incomplete(f"AWS query-string parameters must include 'X-Amz-{name}'.")
    if query["X-Amz-Algorithm"] != ALGORITHM:
        raise _incomplete(f"Unsupported AWS 'algorithm': '{query['X-Amz-Algorithm']}'.")
    lifetime = query["X-Amz-Expires"]
    if not lifetime.isdecimal() or not 1 <= int(lifetime) <= 604800:
        raise _incomplete("X-Amz-Expires must be between 1 and 604800 seconds.")
    return _signature(
        query["X-Amz-Credential"], query["X-Amz-SignedHeaders"], query["X-Amz-Signature"],
        query["X-Amz-Date"], query.get("X-Amz-Security-Token"), int(lifetime),
    )  # fmt: skip


def _signature(
    credential: str, headers: str, value: str, time: str, token: str | None, lifetime: int | None
) -> Signature:
    scope = _SCOPE.fullmatch(credential)
    if scope is None:
        raise _incomplete(f"Credential '{credential}' is not KEY/DATE/REGION/SERVICE/aws4_request.")
    return Signature(
        access_key=scope[1], date=scope[2], region=scope[3], service=scope[4],
        signed_headers=tuple(headers.split(";")), value=value, time=time, token=token, lifetime=lifetime,
    )  # fmt: skip


def verify(request: wire.Request, signature: Signature, secret_key: str, now: float) -> None:
    """Refuse a signature that `secret_key` did not make for this request at about this time."""
    _check_time(signature, now)
    _check_headers(request, signature)
    _check_body(request, signature)
    expected = _expected(request, signature, secret_key)
    if not hmac.compare_digest(expected, signature.value):
        raise Fault("SignatureDoesNotMatch", _MISMATCH, 0)


def _check_time(signature: Signature, now: float) -> None:
    try:
        signed = dt.datetime.strptime(signature.time, _FORMAT).replace(tzinfo=dt.UTC)
    except ValueError:
        raise _incomplete(f"Date '{signature.time}' is not like 20261231T235959Z.") from None
    if signature.date != signature.time[:8]:
        raise Fault(
            "SignatureDoesNotMatch",
            f"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
            f"'{signature.date}' != '{signature.time[:8]}', from '{signature.time}'.",
            0,
        )
    age = now - signed.timestamp()
    allowed = SKEW if signature.lifetime is None else signature.lifetime
    here = dt.datetime.fromtimestamp(now, dt.UTC)
    if age > allowed:
        limit = (here - dt.timedelta(seconds=allowed)).strftime(_FORMAT)
        raise Fault(
            "SignatureDoesNotMatch",
            f"Signature expired: {signature.time} is now earlier than {limit} "
            f"({here.strftime(_FORMAT)} - {allowed // 60} min.)",
            0,
        )
    if age < -SKEW:
        limit = (here + dt.timedelta(seconds=SKEW)).strftime(_FORMAT)
        raise Fault(
            "SignatureDoesNotMatch",
            f"Signature not yet current: {signature.time} is still later than {limit} "
            f"({here.strftime(_FORMAT)} + {SKEW // 60} min.)",
            0,
        )


def _check_headers(request: wire.Request, signature: Signature) -> None:
    """What decides about a request must be signed: its host and every x-amz header but the body's hash."""
    decisive = {name for name in request.headers if name.startswith("x-amz-")} - {"x-amz-content-sha256"}
    if unsigned := sorted(({"host"} | decisive) - set(signature.signed_headers)):
        words = f"There were headers present in the request which were not signed: {', '.join(unsigned)}"
        raise Fault("SignatureDoesNotMatch", words, 0)
    if missing := sorted(set(signature.signed_headers) - set(request.headers)):
        words = f"There were signed headers which are not in the request: {', '.join(missing)}"
        raise Fault("SignatureDoesNotMatch", words, 0)


def _check_body(request: wire.Request, signature: Signature) -> None:
    """A body's hash that the client states is taken into the signature unseen, so it has to be true."""
    stated = request.headers.get("x-amz-content-sha256")
    if stated is None or signature.lifetime is not None:
        return
    if stated == UNSIGNED_PAYLOAD and signature.service == "s3":
        return
    if not hmac.compare_digest(stated, hashlib.sha256(request.body).hexdigest()):
        raise Fault("SignatureDoesNotMatch", _MISMATCH, 0)


def _expected(request: wire.Request, signature: Signature, secret_key: str) -> str:
    signer = _signer(signature, secret_key)
    seen = replace(request, query=_unsigned_query(request.query))
    signed = {name: request.headers[name] for name in signature.signed_headers}
    stated = request.headers.get("x-amz-content-sha256")
    if signature.lifetime is not None:  # of a presigned URL, S3 leaves the body out, the others sign none
        unsigned = signature.service == "s3"
        signed["x-amz-content-sha256"] = UNSIGNED_PAYLOAD if unsigned else hashlib.sha256().hexdigest()
    elif stated is not None:
        signed["x-amz-content-sha256"] = stated
    made = AWSRequest(request.method, seen.url, signed, request.body)
    made.context["timestamp"] = signature.time
    canonical = signer.canonical_request(made)
    return str(signer.signature(signer.string_to_sign(made, canonical), made))


def _signer(signature: Signature, secret_key: str) -> SigV4Auth:
    """Return botocore's signer, held to the headers that the client chose to sign."""
    base = S3SigV4Auth if signature.service == "s3" else SigV4Auth

    class Signer(base):  # type: ignore[misc,valid-type]
        def headers_to_sign(self, request: AWSRequest) -> object:
            found = super().headers_to_sign(request)
            for name in signature.signed_headers:  # those that botocore itself would never sign
                if name not in found:
                    found[name] = request.headers[name]
            for name in set(found) - set(signature.signed_headers):
                del found[name]
            return found

    credentials = ReadOnlyCredentials(signature.access_key, secret_key, None)
    return Signer(credentials, signature.service, signature.region)


def _unsigned_query(query: str) -> str:
    return "&".join(part for part in query.split("&") if not part.startswith("X-Amz-Signature="))


def _incomplete(words: str) -> Fault:
    return Fault("IncompleteSignature", words, 400)
