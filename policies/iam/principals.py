"""The `Principal` element: whom a statement of a resource policy names, and how directly.

Source: IAM User Guide, "AWS JSON policy elements: Principal", "NotPrincipal" and "Policy evaluation logic".
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from policies.iam.malformed import Malformed
from policies.iam.patterns import Text

Caller = Mapping[str, tuple[str, ...]]
"""Who asks: `{"AWS": (session ARN, role ARN)}`, `{"Federated": (provider ARN,)}`, `{"Service": (...)}`, or nobody."""

TYPES = ("AWS", "Federated", "Service", "CanonicalUser")
_ACCOUNT = re.compile(r"\d{12}|arn:[a-z-]+:iam::\d{12}:root", re.ASCII)
_NAMED = re.compile(
    r"arn:[a-z-]+:(?:iam::\d{12}:(?:user|role)/.+|sts::\d{12}:(?:assumed-role|federated-user)/.+)"
)
_UNIQUE = re.compile(r"A[A-Z]{3}[A-Z0-9]{8,124}")
"""What AWS puts in the place of a role or user that was deleted."""


class Grant(IntEnum):
    """How a statement names the caller; the higher, the less the caller's own policies limit it."""

    NONE = 0
    ACCOUNT = 1
    """The account: its own administrators must allow it too."""
    ROLE = 2
    """The role: its boundary and session policies still limit it."""
    DIRECT = 3
    """The user, the session, a federated identity, a service, or everyone."""


@dataclass(frozen=True, slots=True)
class Principals:
    """Who is named. `everyone` is `"*"`, which `{"AWS": "*"}` equals."""

    everyone: bool
    accounts: frozenset[str]
    named: Mapping[str, frozenset[str]]

    def grant(self, caller: Caller) -> Grant:
        """Return how directly the caller is named."""
        if self.everyone:
            return Grant.DIRECT
        best = Grant.NONE
        for kind, values in caller.items():
            named = self.named.get(kind)
            for value in values:
                if named and (value in named or "*" in named):
                    best = max(best, Grant.ROLE if kind == "AWS" and ":role/" in value else Grant.DIRECT)
                if kind == "AWS" and self.accounts and account(value) in self.accounts:
                    best = max(best, Grant.ACCOUNT)
        return best

    def exempts(self, caller: Caller) -> bool:
        """Return whether NotPrincipal spares the caller: each identity it has, its account too, must be named."""
        if self.everyone:
            return True
        if not any(caller.values()):
            return False
        accounts = {account(value) for value in caller.get("AWS", ())}
        return accounts <= self.accounts and all(
            value in self.named.get(kind, frozenset()) or (kind == "AWS" and _is_account(value))
            for kind, values in caller.items()
            for value in values
        )


def account(arn: str) -> str:
    """Return the account in `arn` (12 digits, or a bare account), or the empty text."""
    if len(arn) == 12 and arn.isdecimal():
        return arn
    parts = arn.split(":", 5)
    return parts[4] if len(parts) > 5 and len(parts[4]) == 12 else ""


def principals(everyone: bool, values: Mapping[str, tuple[Text, ...]]) -> Principals:
    """Compile the element: `everyone` for the bare star, else the values of each type."""
    accounts: set[str] = set()
    named: dict[str, frozenset[str]] = {}
    for kind, texts in values.items():
        if kind == "AWS":
            everyone = everyone or any(text.value == "*" for text in texts)
            accounts.update(account(text.value) for text in texts if _is_account(text.value))
        named[kind] = frozenset(_checked(kind, text) for text in texts)
    return Principals(everyone, frozenset(accounts), named)


def _is_account(value: str) -> bool:
    return value.endswith(":root") or (len(value) == 12 and value.isdecimal())


def _checked(kind: str, text: Text) -> str:
    value = text.value
    if value == "*":
        return value
    if "*" in value or "?" in value:
        raise Malformed(
            text.where, "a wildcard cannot stand for a part of a principal; only '*' alone, for everyone"
        )
    if kind == "AWS" and not (
        _ACCOUNT.fullmatch(value) or _NAMED.fullmatch(value) or _UNIQUE.fullmatch(value)
    ):
        raise Malformed(text.where, f"'{value}' is no account, user, role or session")
    if kind == "Service" and "." not in value:
        raise Malformed(text.where, f"'{value}' is no service, as in ec2.amazonaws.com")
    return value
