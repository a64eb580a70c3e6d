"""The Security Token Service, in place of moto's, which believes everybody."""

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

from policies.iam import Request, decide, trust

from . import authorization, identity_token, roles
from .fault import Fault, invalid
from .identity_token import Identity
from .principals import Principal, RoleSession
from .state import Session, State

WEB_IDENTITY = "AssumeRoleWithWebIdentity"
_ROLE = re.compile(r"arn:aws:iam::(\d{12}):role/(.+)")
_SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
_SHORTEST = 900
_LONGEST = 43200
_CHAINED = 3600
"""Seconds: the shortest session, the longest, and the longest of a role that assumes another."""


class TokenService:
    """Gives out sessions to those whom a role's trust policy lets in."""

    def __init__(self, state: State) -> None:
        self._state = state

    def answer(
        self, action: str, parameters: Mapping[str, Any], caller: Principal, context: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Answer a signed call."""
        if action == "GetCallerIdentity":  # needs no permission, in AWS either
            return {"UserId": caller.user_id, "Account": caller.account, "Arn": caller.arn}
        if action == "AssumeRole":
            return self._assume(parameters, caller, context)
        raise Fault("NotImplemented", f"The stand-in for AWS has no sts:{action}", 501)

    def with_web_identity(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Answer AssumeRoleWithWebIdentity, which nobody signs: the token is the proof."""
        account, arn, name, seconds = _asked(parameters)
        token = parameters.get("WebIdentityToken")
        if not isinstance(token, str) or not token:
            raise invalid("1 validation error detected: Value null at 'webIdentityToken' failed to satisfy "
                          "constraint: Member must not be null")  # fmt: skip
        issuer = identity_token.issuer_of(token)
        provider = roles.provider(account, issuer)
        if provider is None:
            raise Fault(
                "InvalidIdentityToken", f"No OpenIDConnect provider found in your account for {issuer}"
            )
        keys = self._state.issuer(issuer)
        identity = identity_token.verify(token, keys, provider.audiences, self._state.clock())
        role = roles.role(account, arn)
        context = {**claims(provider.name, identity), "sts:rolesessionname": (name,)}
        request = Request(f"sts:{WEB_IDENTITY}", arn, context, {"Federated": (provider.arn,)})
        if role is None or not decide(request, resource=[role.trust]).allowed:
            raise Fault("AccessDenied", f"Not authorized to perform sts:{WEB_IDENTITY}", 403)
        session = self._open(account, role, name, seconds, parameters)
        return {
            **_described(session),
            "SubjectFromWebIdentityToken": identity.subject,
            "Audience": identity.audience,
            "Provider": provider.arn,
        }

    def _assume(
        self, parameters: Mapping[str, Any], caller: Principal, context: Mapping[str, Any]
    ) -> dict[str, Any]:
        account, arn, name, seconds = _asked(parameters)
        if isinstance(caller, RoleSession) and seconds > _CHAINED:
            raise invalid("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed "
                          "by role chaining")  # fmt: skip
        role = roles.role(account, arn)
        extra = {"sts:rolesessionname": (name,)}
        if external := parameters.get("ExternalId"):
            extra["sts:externalid"] = (str(external),)
        own = authorization.limits(caller)
        request = Request("sts:AssumeRole", arn, {**context, **extra}, {"AWS": authorization.names(caller)})
        if role is None or not decide(request, own.identity, [role.trust], own.boundary, own.session).allowed:
            raise authorization.denied(caller, "sts:AssumeRole", arn)
        return _described(self._open(account, role, name, seconds, parameters))

    def _open(
        self, account: str, role: roles.Role, name: str, seconds: int, parameters: Mapping[str, Any]
    ) -> Session:
        if seconds > role.longest_session:
            raise invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
        given = [str(parameters["Policy"])] if parameters.get("Policy") else []
        named = [str(entry["arn"]) for entry in parameters.get("PolicyArns") or ()]
        policies = roles.session_policies(account, given, named)
        principal = RoleSession(
            account, role.arn, role.id, name, None if policies is None else tuple(policies)
        )
        return self._state.open_session(principal, seconds)


def claims(provider: str, identity: Identity) -> dict[str, tuple[str, ...]]:
    """Return a token's claims as condition keys, `PROVIDER:claim`, in lower case.

    AWS offers those of GitHub's tokens that are text or numbers, and of other providers' `sub`,
    `aud` and `amr`.
    """
    prefix = provider.lower()
    found: dict[str, tuple[str, ...]] = {
        f"{prefix}:sub": (identity.subject,),
        f"{prefix}:aud": (identity.audience,),
    }
    if prefix == trust.GITHUB:
        for name in trust.GITHUB_CLAIMS:
            value = identity.claims.get(name)
            if isinstance(value, str | int) and not isinstance(value, bool):
                found[f"{prefix}:{name}"] = (str(value),)
    methods = identity.claims.get("amr")
    if isinstance(methods, list):
        found[f"{prefix}:amr"] = tuple(str(method) for method in methods)
    return found


def _asked(parameters: Mapping[str, Any]) -> tuple[str, str, str, int]:
    """Read account, role ARN, session name and seconds from a request."""
    arn, name = str(parameters.get("RoleArn", "")), str(parameters.get("RoleSessionName", ""))
    role = _ROLE.fullmatch(arn)
    if role is None:
        raise invalid(f"{arn or 'null'} is invalid")
    if not _SESSION_NAME.fullmatch(name):
        raise invalid(f"1 validation error detected: Value '{name}' at 'roleSessionName' failed to satisfy "
                      "constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*")  # fmt: skip
    seconds = int(parameters.get("DurationSeconds") or 3600)
    for wrong, word, limit in (
        (seconds < _SHORTEST, "greater", _SHORTEST), (seconds > _LONGEST, "less", _LONGEST),
    ):  # fmt: skip
        if wrong:
            raise invalid(f"1 validation error detected: Value '{seconds}' at 'durationSeconds' failed to "
                          f"satisfy constraint: Member must have value {word} than or equal to {limit}")  # fmt: skip
    return role[1], arn, name, seconds


def _described(session: Session) -> dict[str, Any]:
    return {
        "Credentials": {
            "AccessKeyId": session.access_key,
            "SecretAccessKey": session.secret_key,
            "SessionToken": session.token,
            "Expiration": dt.datetime.fromtimestamp(int(session.expires), dt.UTC),
        },
        "AssumedRoleUser": {"AssumedRoleId": session.principal.user_id, "Arn": session.principal.arn},
    }
