"""The one connection of the migration: waited for, locked, and cancelled from outside."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from migration.journal import Journal
from migration.settings import Settings
from migration.supervisor import Stop

KEYS = {"host": "host", "port": "port", "username": "user", "password": "password", "dbname": "dbname"}
"""File name in the Secret -> libpq's keyword."""

TURN = 0x736C6970776179
"""Key of the session advisory lock that makes migrations take turns: `slipway` in ASCII."""

_HOLDER = f"""
    SELECT a.pid, a.application_name, date_trunc('second', now() - a.backend_start) AS age
    FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
    WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
    AND l.classid = {TURN >> 32} AND l.objid = {TURN & 0xFFFFFFFF}"""


@dataclass
class Session:
    """The database session of one run."""

    settings: Settings
    journal: Journal
    stopping: threading.Event = field(default_factory=threading.Event)
    _raw: "psycopg.Connection[Any] | None" = None

    def connect(self) -> Connection:
        """Wait for credentials and database, then return a connection."""
        self._wait(self._try_to_connect, self.settings.database_wait, "the database")
        raw = self._raw
        assert raw is not None
        return create_engine("postgresql+psycopg://", creator=lambda: raw, poolclass=NullPool).connect()

    def take_turn(self, connection: Connection) -> None:
        """Wait until no other migration runs, then keep others out until the session ends."""

        def attempt() -> str | None:
            taken = connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": TURN})
            holder = None if taken else connection.execute(text(_HOLDER)).first()
            connection.commit()
            if taken:
                return None
            if holder is None:
                return "held by another migration"
            return f"held by '{holder.application_name}' (backend {holder.pid}, for {holder.age})"

        self._wait(attempt, self.settings.turn_wait, "the migration lock")

    def cancel(self) -> None:
        """Stop retrying, and make the running statement end; called from another thread."""
        self.stopping.set()
        if self._raw is None or self._raw.closed:
            return
        try:
            self._raw.cancel_safe(timeout=2)
        except psycopg.Error as problem:
            self.journal.say(f"the running statement could not be cancelled: {problem}")

    def _wait(self, attempt: Callable[[], str | None], seconds: float, what: str) -> None:
        """Call `attempt` until it returns None; its string is what to wait for, said when it changes."""
        ends_at = time.monotonic() + seconds
        said = None
        while (state := attempt()) is not None:
            if time.monotonic() >= ends_at:
                raise Stop(f"gave up waiting for {what} after {seconds:.0f} s: {state}")
            if state.split(", for ")[0] != said:
                said = state.split(", for ")[0]
                self.journal.say(f"waiting for {what}: {state}")
            if self.stopping.wait(0.5):
                raise Stop(f"stopped while waiting for {what}: {state}")

    def _try_to_connect(self) -> str | None:
        found, missing = credentials(self.settings.database_dir)
        if missing:
            return f"no credential {', '.join(missing)} in {self.settings.database_dir}"
        self.journal.hide(found["password"])
        try:
            self._raw = psycopg.connect(**_parameters(self.settings, found))
        except psycopg.OperationalError as problem:
            return " ".join(str(problem).split())
        return None


def credentials(directory: Path) -> tuple[dict[str, str], list[str]]:
    """Return libpq's keywords from the files in `directory`, and which files are missing."""
    found = {}
    for name, keyword in KEYS.items():
        try:
            found[keyword] = (directory / name).read_text().strip("\r\n")
        except OSError:
            found[keyword] = ""
    return found, [name for name, keyword in KEYS.items() if not found[keyword]]


def _parameters(settings: Settings, found: dict[str, str]) -> dict[str, Any]:
    options = {
        "lock_timeout": f"{settings.lock_timeout * 1000:.0f}ms",
        "statement_timeout": f"{settings.statement_timeout * 1000:.0f}ms",
        # A migration that was killed must not keep its locks until its statement is through.
        "client_connection_check_interval": "2s",
        "TimeZone": "UTC",
    }
    return {
        **found,
        "connect_timeout": 3,
        "application_name": f"eks-migration {settings.version}",
        "options": " ".join(f"-c {name}={value}" for name, value in options.items()),
    }
