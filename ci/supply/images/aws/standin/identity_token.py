"""Web identity tokens: who signed them, for whom, and until when."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jwt

from .fault import Fault

Issuers = Callable[[str], Mapping[str, Any] | None]
"""Give the JWKS of an issuer that is known here, None for any other."""

_ALGORITHMS = {"RSA": ("RS256",), "EC": ("ES256",)}
"""What may sign, by the key's own type: the token has no say in how its key is used."""

_SMALLEST_RSA = 2048


@dataclass(frozen=True, slots=True)
class Identity:
    """A verified token: its issuer, audience and claims."""

    issuer: str
    subject: str
    audience: str
    claims: Mapping[str, Any]


def issuer_of(token: str) -> str:
    """Return the issuer that a token names, before anything about it is believed."""
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
    except jwt.PyJWTError:
        raise _invalid("The ID Token provided is not a valid JWT. (You may see this error if you sent "
                       "an Access Token)") from None  # fmt: skip
    issuer = claims.get("iss")
    if not isinstance(issuer, str) or not issuer:
        raise _invalid("Missing a required claim: iss")
    return issuer


def verify(token: str, jwks: Mapping[str, Any] | None, audiences: tuple[str, ...], now: float) -> Identity:
    """Verify signature, times and audience; a refusal has the code and words that STS uses.

    `jwks` are the issuer's keys, None where they cannot be had.
    """
    claims = _signed_claims(token, jwks)
    for name in ("sub", "aud", "exp", "iat"):
        if name not in claims:
            raise _invalid(f"Missing a required claim: {name}")
    _check_times(claims, now)
    subject = claims["sub"]
    if not isinstance(subject, str) or not subject:
        raise Fault("IDPRejectedClaim", "The claim 'sub' is no string", 403)
    return Identity(str(claims["iss"]), subject, _audience(claims, audiences), claims)


def _signed_claims(token: str, jwks: Mapping[str, Any] | None) -> dict[str, Any]:
    header = jwt.get_unverified_header(token)
    key = _key(header, jwks)
    algorithms = _ALGORITHMS.get(str(key.key_type), ())
    if header.get("alg") not in algorithms:
        raise _invalid(f"Token signature algorithm '{header.get('alg')}' is not supported for its key")
    try:
        checks = {f"verify_{name}": False for name in ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")}
        return jwt.decode(token, key.key, algorithms=list(algorithms), options=checks)  # type: ignore[arg-type]
    except jwt.InvalidSignatureError:
        raise _invalid("Token signature invalid") from None
    except jwt.PyJWTError as error:
        raise _invalid(f"Token cannot be verified: {error}") from None


def _key(header: Mapping[str, Any], jwks: Mapping[str, Any] | None) -> jwt.PyJWK:
    """Find the key by its id among the issuer's; nothing that the token itself brings is used."""
    wanted = header.get("kid")
    for entry in (jwks or {}).get("keys", ()):
        if wanted is not None and entry.get("kid") == wanted and entry.get("use", "sig") == "sig":
            try:
                key = jwt.PyJWK(entry)
            except jwt.PyJWTError:
                break
            if key.key_type != "RSA" or key.key.key_size >= _SMALLEST_RSA:
                return key
    raise _invalid("Couldn't retrieve verification key from your identity provider,  please reference "
                   "AssumeRoleWithWebIdentity documentation for requirements")  # fmt: skip


def _check_times(claims: Mapping[str, Any], now: float) -> None:
    times = {name: claims[name] for name in ("exp", "iat", "nbf") if name in claims}
    for name, value in times.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Fault("IDPRejectedClaim", f"The claim '{name}' is no time", 403)
    if times["exp"] <= now:
        raise Fault(
            "ExpiredTokenException",
            f"Token expired: current date/time {int(now)} must be before the expiration date/time "
            f"{int(times['exp'])}",
        )
    for name in ("iat", "nbf"):
        if times.get(name, 0) > now + 1:  # a second of rounding
            raise _invalid(f"Token is not valid before {int(times[name])}: current date/time {int(now)}")


def _audience(claims: Mapping[str, Any], audiences: tuple[str, ...]) -> str:
    """Return the one audience that counts: `azp` where the token has one, as AWS does, else `aud`."""
    named = claims["aud"]
    listed = [named] if isinstance(named, str) else list(named) if isinstance(named, list) else []
    party = claims.get("azp")
    if isinstance(party, str) and party:
        listed = [party]
    if len(listed) != 1:
        raise _invalid("Token has several audiences and no authorized party")
    if listed[0] not in audiences:
        raise _invalid("Incorrect token audience")
    return str(listed[0])


def _invalid(words: str) -> Fault:
    return Fault("InvalidIdentityToken", words)
