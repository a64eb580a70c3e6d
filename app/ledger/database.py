"""PostgreSQL: the pools, and every query of the product."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

from ledger import credentials
from ledger.entries import Draft, Entry, Refused
from ledger.logs import log
from ledger.settings import Settings

Pool = AsyncConnectionPool[AsyncConnection[DictRow]]

_FOLLOW_SECONDS = 2.0
_NEVER = 10 * 365 * 86400.0

_COLUMNS = "id, description, amount, created_at"
_INSERT = f"""
    INSERT INTO entries (idempotency_key, description, amount) VALUES (%s, %s, %s)
    ON CONFLICT (idempotency_key) DO NOTHING RETURNING {_COLUMNS}"""
_BY_KEY = f"SELECT {_COLUMNS} FROM entries WHERE idempotency_key = %s"
# One statement, so that list, count and sum are of the same moment.
_LATEST = f"""
    SELECT total.entries AS total_entries, total.amount AS total_amount, latest.*
    FROM (SELECT count(*) AS entries, coalesce(sum(amount), 0) AS amount FROM entries) AS total
    LEFT JOIN LATERAL (SELECT {_COLUMNS} FROM entries ORDER BY id DESC LIMIT %s) AS latest ON true
    ORDER BY latest.id DESC"""
_APPLIED = "SELECT revision FROM schema_revisions ORDER BY applied_at, revision"
_HAS_REVISIONS = "SELECT to_regclass('schema_revisions') IS NOT NULL AS present"


@dataclass(frozen=True, slots=True)
class Ledger:
    """The newest entries with count and sum of all."""

    entries: Sequence[Entry]
    count: int
    sum: int


@dataclass(frozen=True, slots=True)
class Database:
    """The product's database.

    Probes have a connection of their own: a busy pool must not make a pod that serves look broken.
    """

    work: Pool
    probes: Pool

    async def add(self, key: str, draft: Draft) -> tuple[Entry, bool]:
        """Store `draft` under `key` and return (entry, True), or what the key made before and False.

        The unique key decides, so that of concurrent duplicates in any pod exactly one is stored.
        Raises Refused when the key was used for something else.
        """
        async with self.work.connection() as connection:
            cursor = await connection.execute(_INSERT, (key, draft.description, draft.amount))
            if row := await cursor.fetchone():
                return Entry(**row), True
            # The insert waited for the other transaction; a new statement sees what it committed.
            cursor = await connection.execute(_BY_KEY, (key,))
            row = await cursor.fetchone()
        if row is None or not (entry := Entry(**row)).matches(draft):
            raise Refused("this Idempotency-Key was used for another entry", status=422)
        return entry, False

    async def latest(self, limit: int) -> Ledger:
        """Return the newest `limit` entries, newest first, with the totals of all."""
        async with self.work.connection() as connection:
            rows = await (await connection.execute(_LATEST, (limit,))).fetchall()
        totals = [(row.pop("total_entries"), int(row.pop("total_amount"))) for row in rows]
        entries = [Entry(**row) for row in rows if row["id"] is not None]
        return Ledger(entries, *totals[0])

    async def applied(self) -> list[str]:
        """Return the schema revisions applied to the database, oldest first."""
        async with self.probes.connection(timeout=2.5) as connection:
            row = await (await connection.execute(_HAS_REVISIONS)).fetchone()
            if row is None or not row["present"]:
                return []
            return [row["revision"] for row in await (await connection.execute(_APPLIED)).fetchall()]


@asynccontextmanager
async def connected(settings: Settings) -> AsyncIterator[Database]:
    """Open the pools without waiting for the database, and close them at the end.

    When the credentials change, all connections are replaced, but not before one was made with the
    new ones: while database and mounted files do not agree, the old connections go on serving.
    """
    work = _pool(settings, "work", settings.pool_size, statement_seconds=10)
    probes = _pool(settings, "probes", 1, statement_seconds=2)
    async with work, probes:
        following = asyncio.create_task(_follow(settings, (work, probes)))
        try:
            yield Database(work, probes)
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)


async def _follow(settings: Settings, pools: Sequence[Pool]) -> None:
    """Replace the connections of `pools` whenever other credentials are found and work."""
    used: dict[str, str] = {}
    while True:
        with suppress(psycopg.Error):  # not there, half written, or not valid yet: the next look decides
            found = credentials.read(settings.database_dir)
            if used and found != used:
                async with await AsyncConnection.connect(**_parameters(settings, found, statement_seconds=2)):
                    pass
                for pool in pools:
                    await pool.drain()
                log.info("credentials changed, connections are replaced")
            used = found
        await asyncio.sleep(_FOLLOW_SECONDS)


def _parameters(settings: Settings, login: dict[str, str], statement_seconds: int) -> dict[str, Any]:
    return {
        **login,
        "autocommit": True,
        "row_factory": dict_row,
        "connect_timeout": 3,
        "tcp_user_timeout": 5000,  # ms; a database that vanished without a word
        "application_name": f"eks-app {settings.version}",
        "options": f"-c TimeZone=UTC -c statement_timeout={statement_seconds}s",
    }


def _pool(settings: Settings, name: str, size: int, statement_seconds: int) -> Pool:
    async def parameters() -> dict[str, Any]:
        return _parameters(settings, credentials.read(settings.database_dir), statement_seconds)

    return AsyncConnectionPool(
        connection_class=AsyncConnection[DictRow],
        kwargs=parameters,
        min_size=1,
        max_size=size,
        open=False,
        name=name,
        timeout=5,
        max_waiting=500,
        check=AsyncConnectionPool.check_connection,
        # Never by age: a connection that ended between a change of the password and its arrival in the
        # files could not be replaced. `_follow` replaces them when they have to be.
        max_lifetime=_NEVER,
        # Short, because the pool's own back-off doubles: the next request starts a new attempt instead.
        reconnect_timeout=1,
    )
