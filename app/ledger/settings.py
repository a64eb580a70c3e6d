"""What the image and the pod tell the process through its environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


class Unusable(Exception):
    """A variable of the environment is missing or no usable value."""


@dataclass(frozen=True, slots=True)
class Settings:
    """One process.

    `version`, `revision` and `schema_head` are baked into the image. `drain_seconds` is how long
    requests are still accepted after SIGTERM while `/readyz` already answers 503.
    """

    version: str
    revision: str
    schema_head: str
    database_dir: Path
    port: int
    pool_size: int
    drain_seconds: float


def load(env: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings; raise Unusable with the name of the variable that is wrong."""
    return Settings(
        version=_text(env, "VERSION"),
        revision=_text(env, "REVISION"),
        schema_head=_text(env, "SCHEMA_HEAD"),
        database_dir=Path(env.get("DATABASE_DIR", "/run/secrets/database")),
        port=int(_number(env, "PORT", 8080)),
        pool_size=int(_number(env, "POOL_SIZE", 10)),
        drain_seconds=_number(env, "DRAIN_SECONDS", 8),
    )


def _text(env: Mapping[str, str], name: str) -> str:
    if value := env.get(name):
        return value
    raise Unusable(f"{name} is not set")


def _number(env: Mapping[str, str], name: str, default: float) -> float:
    text = env.get(name, str(default))
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value < 65536:
        raise Unusable(f"{name} is '{text}', not a number from 0 to 65535")
    return value
