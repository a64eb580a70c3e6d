"""What the image and the Job tell the program through its environment; times are in seconds."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


class Unusable(Exception):
    """A variable of the environment is missing or no usable value."""


@dataclass(frozen=True, slots=True)
class Settings:
    """One run.

    `deadline` bounds everything and must stay below the Job's activeDeadlineSeconds, so that the
    program ends with words of its own. `database_wait` bounds the wait for credentials and for the
    database, `turn_wait` the wait for another migration. `lock_timeout` is how long one try may wait
    for a table that others use (they queue behind it meanwhile), `lock_tries` how often to try.
    """

    version: str
    database_dir: Path
    deadline: float
    database_wait: float
    turn_wait: float
    lock_timeout: float
    lock_tries: int
    statement_timeout: float


def load(env: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings; raise Unusable with the name of the variable that is wrong."""
    if not env.get("VERSION"):
        raise Unusable("VERSION is not set")
    return Settings(
        version=env["VERSION"],
        database_dir=Path(env.get("DATABASE_DIR", "/run/secrets/database")),
        deadline=_seconds(env, "MIGRATION_DEADLINE", 105),
        database_wait=_seconds(env, "MIGRATION_DATABASE_WAIT", 60),
        turn_wait=_seconds(env, "MIGRATION_TURN_WAIT", 60),
        lock_timeout=_seconds(env, "MIGRATION_LOCK_TIMEOUT", 2),
        lock_tries=int(_seconds(env, "MIGRATION_LOCK_TRIES", 6)),
        statement_timeout=_seconds(env, "MIGRATION_STATEMENT_TIMEOUT", 60),
    )


def _seconds(env: Mapping[str, str], name: str, default: float) -> float:
    text = env.get(name, str(default))
    try:
        value = float(text)
    except ValueError:
        value = 0
    if not 0 < value <= 86400:
        raise Unusable(f"{name} is '{text}', not a number above 0 and up to 86400")
    return value
