"""What the stand-in itself has given out and been told: sessions, registry tokens, issuers."""

import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from . import disk
from .principals import Operator, Principal, RoleSession

FILE = "issued.json"
_KEY_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


@dataclass(frozen=True, slots=True)
class Session:
    """Temporary credentials and whose they are; `expires` is in seconds since 1970."""

    access_key: str
    expires: float
    principal: RoleSession
    secret_key: str = field(repr=False)
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Login:
    """A registry token that was given out, for one region; only its hash is kept."""

    expires: float
    region: str
    principal: Principal


class State:
    """Everything that is kept beside moto's own state, written to the volume at each change."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self._path = folder / FILE
        self._lock = threading.Lock()
        self._sessions: dict[str, Session] = {}
        self._logins: dict[str, Login] = {}
        self._issuers: dict[str, dict[str, Any]] = {}
        if self._path.exists():
            self._load(json.loads(self._path.read_bytes()))

    def open_session(self, principal: RoleSession, seconds: int) -> Session:
        """Give out new credentials of `principal`, valid for `seconds`."""
        session = Session(
            access_key="ASIA" + "".join(secrets.choice(_KEY_LETTERS) for _ in range(16)),
            secret_key=secrets.token_urlsafe(30),
            token=secrets.token_urlsafe(192),
            expires=self.clock() + seconds,
            principal=principal,
        )
        with self._lock:
            self._sessions[session.access_key] = session
            self._save()
        return session

    def session(self, access_key: str) -> Session | None:
        """Return the session of an access key, even when it has just expired."""
        return self._sessions.get(access_key)

    def open_login(self, principal: Principal, region: str, seconds: int) -> tuple[str, float]:
        """Give out a registry password; return it and when it expires."""
        password = secrets.token_urlsafe(96)
        login = Login(self.clock() + seconds, region, principal)
        with self._lock:
            self._logins[_hash(password)] = login
            self._save()
        return password, login.expires

    def login(self, password: str) -> Login | None:
        """Return the login of a registry password; None where there is none or it has expired."""
        found = self._logins.get(_hash(password))
        return found if found is not None and found.expires > self.clock() else None

    def set_issuer(self, issuer: str, jwks: Mapping[str, Any]) -> None:
        """Take `jwks` for the keys that `issuer` signs with, from now on."""
        with self._lock:
            self._issuers = {**self._issuers, issuer: dict(jwks)}
            self._save()

    def issuer(self, issuer: str) -> Mapping[str, Any] | None:
        """Return the keys of an issuer as a JWKS, None for one that nobody registered."""
        return self._issuers.get(issuer)

    def _save(self) -> None:
        long_gone = self.clock() - 3600  # so that an expired key is told from one that never was
        self._sessions = {k: v for k, v in self._sessions.items() if v.expires > long_gone}
        self._logins = {k: v for k, v in self._logins.items() if v.expires > long_gone}
        content = {
            "sessions": [asdict(session) for session in self._sessions.values()],
            "logins": {hashed: asdict(login) for hashed, login in self._logins.items()},
            "issuers": self._issuers,
        }
        disk.write(self._path, json.dumps(content).encode())

    def _load(self, content: dict[str, Any]) -> None:
        for entry in content["sessions"]:
            principal = _principal(entry.pop("principal"))
            assert isinstance(principal, RoleSession)
            self._sessions[entry["access_key"]] = Session(principal=principal, **entry)
        for hashed, entry in content["logins"].items():
            self._logins[hashed] = Login(principal=_principal(entry.pop("principal")), **entry)
        self._issuers = content["issuers"]


def _principal(entry: dict[str, Any]) -> Principal:
    if "role_arn" not in entry:
        return Operator(**entry)
    found = RoleSession(**entry)
    return replace(found, policies=tuple(found.policies) if found.policies is not None else None)


def _hash(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()
