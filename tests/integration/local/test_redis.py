"""The redis image runs Argo CD's own redis Deployment."""

import time

import pytest

from ci import shell
from ci.settings import Settings
from tests.integration.local.parts import image

pytestmark = pytest.mark.integration

ARGUMENTS = ("--save", "", "--appendonly", "no", "--requirepass p4ss")
"""As manifests/base/redis of Argo CD 3.6.1 gives them; the last is one word with a space in it."""


def test_it_runs_argo_cds_deployment(settings: Settings) -> None:
    name = settings.container("redis")
    shell.run(
        "docker", "run", "--detach", "--name", name, "--user", "999", "--read-only", "--cap-drop", "ALL",
        "--security-opt", "no-new-privileges", image(settings, "redis"), *ARGUMENTS,
    )  # fmt: skip
    try:
        assert ask(name, "p4ss", "PING") == "PONG"
        assert ask(name, "p4ss", "CONFIG", "GET", "save") == "save"
        assert "NOAUTH" in ask(name, "", "PING")
        shell.run("docker", "stop", "--time", "5", name)
        assert shell.run("docker", "inspect", "--format", "{{.State.ExitCode}}", name).out == "0\n"
    finally:
        shell.run("docker", "rm", "--force", "--volumes", name)


def ask(name: str, password: str, *words: str) -> str:
    """Ask redis until it answers."""
    answer = ""
    for _ in range(50):
        done = shell.run(
            "docker", "exec", "--env", "REDISCLI_AUTH", name, "redis-cli", *words,
            env={"REDISCLI_AUTH": password}, ok=(0, 1),
        )  # fmt: skip
        answer = done.out.strip()
        if done.code == 0:
            break
        time.sleep(0.1)
    return answer
