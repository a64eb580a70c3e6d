"""What a test switches on to see its own side fail well: delays, errors, short-lived registry tokens."""

import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

ECR_TOKEN_SECONDS = 12 * 3600
"""How long a registry token lives in ECR."""

REGISTRY = "registry"
"""The name under which the registry's front is delayed or made to fail; services have their own."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Seconds by which each service's answers are late, statuses with which each fails, a token's life."""

    ecr_token_seconds: int = ECR_TOKEN_SECONDS
    delay_seconds: Mapping[str, float] = field(default_factory=dict)
    fail_status: Mapping[str, int] = field(default_factory=dict)


class Faults:
    """The settings in force. They end with the process: a restart is a way out of every test."""

    def __init__(self, sleep: Callable[[float], None] = time.sleep) -> None:
        self._sleep = sleep
        self._lock = threading.Lock()
        self._settings = Settings()

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        with self._lock:
            return self._settings

    def set(self, content: Any) -> None:
        """Take new settings, whole: what is not named is as in AWS again. ValueError where they make no sense."""
        settings = _read(content)
        with self._lock:
            self._settings = settings

    def strike(self, service: str) -> int | None:
        """Wait as long as `service` is to be late, and return the status it is to fail with, if any."""
        settings = self.settings
        if seconds := settings.delay_seconds.get(service):
            self._sleep(seconds)
        return settings.fail_status.get(service)


def _read(content: Any) -> Settings:
    if not isinstance(content, dict):
        raise ValueError("settings are a JSON object")
    if unknown := set(content) - {"ecr_token_seconds", "delay_seconds", "fail_status"}:
        raise ValueError(f"unknown settings: {', '.join(sorted(unknown))}")
    seconds = content.get("ecr_token_seconds")
    return Settings(
        ECR_TOKEN_SECONDS if seconds is None else int(_number(seconds, 1, ECR_TOKEN_SECONDS)),
        {name: _number(value, 0, 600) for name, value in _services(content.get("delay_seconds"))},
        {name: int(_number(value, 400, 599)) for name, value in _services(content.get("fail_status"))},
    )


def _services(content: Any) -> list[tuple[str, Any]]:
    if content is None:
        return []
    if not isinstance(content, dict) or not all(re.fullmatch(r"[a-z0-9-]+", name) for name in content):
        raise ValueError("delay_seconds and fail_status go by the names of services")
    return list(content.items())


def _number(value: Any, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise ValueError(f"{value!r} is no number from {least:g} to {most:g}")
    return value
