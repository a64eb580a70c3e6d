"""PostgreSQL in RDS's place: outside the cluster, and the product's role is no superuser.

It answers to the endpoint that the stack `database` tells, and its role has the password that the stack's
secret holds, as RDS would have given it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields

from ci import shell, supply
from ci.local import aws, container, secret
from ci.local.container import Service
from ci.problem import Problem
from ci.progress import Step
from ci.settings import Settings

ALIAS = "slipway-database"
PORT = 5432
SECRET = "database-secrets"
"""The secret's name in Secrets Manager, and in the product's namespace."""
_SUPERUSER_FILE = "/run/secrets/superuser"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the secret holds; host and port as pods reach them."""

    host: str
    port: str
    username: str
    password: str
    dbname: str


def credentials(settings: Settings) -> Credentials:
    """Return how the product reaches its database, from Secrets Manager."""
    answer = aws.client(settings, "secretsmanager").get_secret_value(SecretId=SECRET)
    found = json.loads(answer["SecretString"])
    return Credentials(**{field.name: str(found[field.name]) for field in fields(Credentials)})


def ensure(settings: Settings, step: Step | None = None) -> None:
    """Have PostgreSQL answering with the product's role and database, owned by that role.

    On this machine it listens on 127.0.0.1, settings.database_port. The infrastructure must be there.
    """
    login = credentials(settings)
    container.ensure(settings, service(settings, login.host), lambda: _server(settings), step=step)
    if _login(settings, login) is not None:
        _create_role(settings, login)
        if (words := _login(settings, login)) is not None:
            raise Problem(
                f"role {login.username} cannot log in: {words}", fix="invoke destroy, then bootstrap"
            )


def service(settings: Settings, endpoint: str) -> Service:
    """Describe the container; Debian's and the official image both run this way. `endpoint` is RDS's name for it."""
    return Service(
        role="database",
        image=supply.image(settings, "postgres"),
        alias=ALIAS,
        also=(endpoint,),
        port=(settings.database_port, PORT),
        volume="/var/lib/postgresql/data",
        files={_SUPERUSER_FILE: secret.value(settings, secret.DATABASE_SUPERUSER_PASSWORD)},
        env={"POSTGRES_PASSWORD_FILE": _SUPERUSER_FILE, "LANG": "C.UTF-8"},
        # what the entrypoint needs to hand the volume to the postgres user and to become that user
        capabilities=("CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"),
        temporary=("/tmp", "/var/run/postgresql"),
    )


def sql(settings: Settings, text: str, database: str = "postgres") -> str:
    """Run SQL as superuser, over the container's own socket; `text` may hold secrets."""
    done = container.execute(
        settings, "database", "psql", "--username", "postgres", "--dbname", database, "--no-psqlrc",
        "--quiet", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1", stdin=text,
    )  # fmt: skip
    return done.out.strip()


def _server(settings: Settings) -> str | None:
    # By its network name: while the official image sets a new database up, it listens on the socket only.
    asked = ("pg_isready", "--quiet", "--host", ALIAS)
    answer = container.execute(settings, "database", *asked, ok=range(256))
    return None if answer.code == 0 else "PostgreSQL does not accept connections yet"


def _login(settings: Settings, login: Credentials) -> str | None:
    """Try the product's role over the network; None, or why it failed."""
    env: Mapping[str, str] = {"PGPASSWORD": login.password}
    name = settings.container("database")
    done = shell.run(
        "docker", "exec", "--env", "PGPASSWORD", name, "psql", "--no-psqlrc", "--no-password",
        "--host", ALIAS, "--username", login.username, "--dbname", login.dbname, "--command", "SELECT 1",
        env=env, ok=(0, 1, 2),
    )  # fmt: skip
    return None if done.code == 0 else (done.err.strip().splitlines() or ["no reason given"])[-1]


def _create_role(settings: Settings, login: Credentials) -> None:
    """Make the role and its database, or give the role its password again.

    infra/parameters allows plain words only for both names, and the generated password is letters and digits.
    """
    user, name = login.username, login.dbname
    sql(
        settings,
        f"SELECT 'CREATE ROLE {user}' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{user}')\\gexec\n"
        f"ALTER ROLE {user} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD '{login.password}';\n"
        f"SELECT 'CREATE DATABASE {name} OWNER {user}' "
        f"WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{name}')\\gexec\n"
        f"REVOKE ALL ON DATABASE {name} FROM PUBLIC;\n",
    )
