"""PostgreSQL is reachable with the product's role, keeps what was written, and hides its passwords."""

import json
from dataclasses import asdict

import psycopg
import pytest

from ci import infra, shell
from ci.local import aws, container, database, secret
from ci.settings import Settings
from tests.integration.local.parts import image

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def server(settings: Settings) -> Settings:
    aws.ensure(settings)
    infra.ensure(settings, "local")
    database.ensure(settings)
    return settings


def connect(settings: Settings, password: str | None = None) -> "psycopg.Connection[tuple[object, ...]]":
    known = database.credentials(settings)
    return psycopg.connect(
        host="127.0.0.1", port=settings.database_port, user=known.username, dbname=known.dbname,
        password=password or known.password, autocommit=True, connect_timeout=5,
    )  # fmt: skip


def one(settings: Settings, statement: str) -> tuple[object, ...] | None:
    with connect(settings) as connection:
        return connection.execute(statement.encode()).fetchone()


def test_the_products_role_owns_its_database_and_no_more(server: Settings) -> None:
    asked = "SELECT rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = current_user"
    assert one(server, asked) == (False, False, False)
    assert one(server, "SELECT current_setting('server_encoding'), datcollate FROM pg_database "
                       "WHERE datname = current_database()") == ("UTF8", "C.UTF-8")  # fmt: skip
    with connect(server) as connection:
        connection.execute("CREATE TABLE kept (n int)")
        connection.execute("INSERT INTO kept VALUES (7)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE ROLE other")


def test_a_wrong_password_is_refused(server: Settings) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        connect(server, "wrong")


def test_other_containers_reach_it_by_the_endpoint_that_the_stack_tells(server: Settings) -> None:
    known = database.credentials(server)
    assert known.host == infra.ensure(server, "local")["database"]["Endpoint"]
    assert known.host.endswith(".ap-northeast-1.rds.amazonaws.com")
    seen = shell.run(
        "docker", "run", "--rm", "--network", server.network, "--env", "PGPASSWORD",
        image(server, "postgres"), "psql", "--host", known.host, "--port", known.port,
        "--username", known.username, "--dbname", known.dbname, "--tuples-only", "--command", "SELECT 41 + 1",
        env={"PGPASSWORD": known.password},
    )  # fmt: skip
    assert seen.out.strip() == "42"


def test_ensure_again_changes_nothing_and_data_outlives_the_container(server: Settings) -> None:
    name = server.container("database")
    asked = ("docker", "inspect", "--format", "{{.Id}} {{.State.StartedAt}}", name)
    before = shell.run(*asked).out
    stored = database.sql(server, "SELECT rolpassword FROM pg_authid WHERE rolname = 'slipway'")
    database.ensure(server)
    assert shell.run(*asked).out == before
    assert database.sql(server, "SELECT rolpassword FROM pg_authid WHERE rolname = 'slipway'") == stored
    with connect(server) as connection:
        connection.execute("CREATE TABLE outlives (n int)")
    shell.run("docker", "kill", name)
    database.ensure(server)
    assert shell.run(*asked).out.split()[0] == before.split()[0]
    container.remove(server, "database")
    database.ensure(server)
    assert one(server, "SELECT count(*) FROM outlives") == (0,)


def test_a_new_password_reaches_a_database_that_exists(server: Settings) -> None:
    (server.state / "secrets" / secret.DATABASE_SUPERUSER_PASSWORD).unlink()
    changed = {**asdict(database.credentials(server)), "password": "another"}
    aws.client(server, "secretsmanager").put_secret_value(
        SecretId=database.SECRET, SecretString=json.dumps(changed)
    )
    database.ensure(server)
    assert database.credentials(server).password == "another"
    assert one(server, "SELECT current_user") == ("slipway",)


def test_no_password_is_visible(server: Settings) -> None:
    inspected = shell.run("docker", "inspect", server.container("database")).out
    logged = "\n".join(container.logs(server, "database", lines=1000))
    superuser = secret.value(server, secret.DATABASE_SUPERUSER_PASSWORD)
    for password in (database.credentials(server).password, superuser):
        assert password not in inspected + logged


def test_a_start_that_was_killed_half_way_is_made_good(server: Settings) -> None:
    """The volume as a kill in the middle of initdb leaves it."""
    container.remove(server, "database", data=True)
    name = server.container("database")
    shell.run("docker", "volume", "create", name)
    shell.run(
        "docker", "run", "--rm", "--volume", f"{name}:/d", "--entrypoint", "sh", image(server, "postgres"),
        "-c", "mkdir -p /d/new/base /d/global && echo 15 > /d/new/PG_VERSION && echo x > /d/global/1",
    )  # fmt: skip
    database.ensure(server)
    assert one(server, "SELECT 1") == (1,)


def test_the_image_keeps_the_official_contract(server: Settings) -> None:
    """User, password and database by environment, and server options as arguments."""
    name = server.container("contract")
    shell.run(
        "docker", "run", "--detach", "--name", name, "--network", server.network,
        "--env", "POSTGRES_USER=test", "--env", "POSTGRES_PASSWORD", "--env", 'POSTGRES_DB=my "db',
        image(server, "postgres"), "-c", "fsync=off",
        env={"POSTGRES_PASSWORD": "p'w"},
    )  # fmt: skip
    try:
        container.wait(server, "contract", lambda: None if _ready(name) else "not yet", seconds=30)
        seen = shell.run(
            "docker", "exec", "--env", "PGPASSWORD", name, "psql", "--host", name, "--username", "test",
            "--dbname", 'my "db', "--tuples-only", "--no-align",
            "--command", "SELECT current_user, current_setting('fsync'), usesuper FROM pg_user WHERE usename='test'",
            env={"PGPASSWORD": "p'w"},
        )  # fmt: skip
        assert seen.out.strip() == "test|off|t"
    finally:
        shell.run("docker", "rm", "--force", "--volumes", name)


def _ready(name: str) -> bool:
    return shell.run("docker", "exec", name, "pg_isready", "--host", name, ok=(0, 1, 2, 3)).code == 0
