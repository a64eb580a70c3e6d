"""Real parts for the integration tests: PostgreSQL in a container."""

import os
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from ci.supply import catalogue

# Ryuk is an image of its own, which no registry can be asked for here; fixtures clean up themselves.
testcontainers_config.ryuk_disabled = True

POSTGRES_IMAGE = os.environ.get("SLIPWAY_POSTGRES_IMAGE") or str(catalogue.load().get("postgres").image)


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running server; `address` is how other containers of the default network reach it."""

    host: str
    port: int
    address: str
    user: str
    password: str

    def connect(self, dbname: str) -> "psycopg.Connection[Any]":
        """Connect as the superuser, in autocommit."""
        return psycopg.connect(
            host=self.host, port=self.port, user=self.user, password=self.password,
            dbname=dbname, autocommit=True, connect_timeout=3,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Database:
    """An empty database of its own for one test, with its own role and credential files."""

    server: Postgres
    name: str
    username: str
    password: str
    credentials: Path

    def connect(self) -> "psycopg.Connection[Any]":
        """Connect as the superuser, in autocommit."""
        return self.server.connect(self.name)

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """Run a statement as the superuser and return its rows."""
        with self.connect() as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def write_credentials(self, **changes: str) -> None:
        """Write the five files of the Secret."""
        values = {
            "host": self.server.host, "port": str(self.server.port), "username": self.username,
            "password": self.password, "dbname": self.name, **changes,
        }  # fmt: skip
        self.credentials.mkdir(exist_ok=True)
        for key, value in values.items():
            (self.credentials / key).write_text(value)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server for the whole session."""
    user, password = "test", uuid.uuid4().hex
    container = (
        DockerContainer(POSTGRES_IMAGE)
        .with_exposed_ports(5432)
        .with_env("POSTGRES_USER", user)
        .with_env("POSTGRES_PASSWORD", password)
        .with_env("POSTGRES_DB", "test")
    )
    with container:
        server = Postgres(
            host=container.get_container_host_ip(),
            port=int(container.get_exposed_port(5432)),
            address=container.get_docker_client().bridge_ip(container.get_wrapped_container().id),
            user=user,
            password=password,
        )
        _wait(server, container)
        yield server


@pytest.fixture
def database(postgres: Postgres, tmp_path: Path) -> Iterator[Database]:
    """An empty database, with credentials written to files as a mounted Secret is."""
    name = f"t{uuid.uuid4().hex[:12]}"
    found = Database(postgres, name, f"{name}_owner", f"pa ss/{uuid.uuid4().hex}", tmp_path / "credentials")
    with postgres.connect("test") as admin:
        admin.execute(
            sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(
                sql.Identifier(found.username), sql.Literal(found.password)
            )
        )
        admin.execute(
            sql.SQL("CREATE DATABASE {} OWNER {}").format(
                sql.Identifier(name), sql.Identifier(found.username)
            )
        )
    found.write_credentials()
    yield found
    with postgres.connect("test") as admin:
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
        admin.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(found.username)))


def _wait(server: Postgres, container: DockerContainer) -> None:
    """Wait until the server has restarted after its own first start and answers."""
    deadline = time.monotonic() + 60
    while True:
        try:
            server.connect("test").close()
            return
        except psycopg.OperationalError as problem:
            if time.monotonic() > deadline:
                words = b"".join(container.get_logs()).decode(errors="replace")[-2000:]
                raise RuntimeError(f"PostgreSQL did not answer: {problem}\n{words}") from problem
            time.sleep(0.1)
