"""Controllers of the supply as plain processes, with the rights that their ServiceAccounts have."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx

from ci.render import Document
from ci.settings import Settings
from ci.supply import golang
from ci.supply.catalogue import load
from tests.integration.gitops.apiserver import ApiServer
from tests.ports import free_range

Found = TypeVar("Found")


def until(ask: Callable[[], Found | None], what: Callable[[], str], seconds: float = 40) -> Found:
    """Ask until there is an answer, and return it; fail with `what` when time is up."""
    deadline = time.monotonic() + seconds
    while (found := ask()) is None:
        assert time.monotonic() < deadline, what()
        time.sleep(0.2)
    return found


def token(api: ApiServer, namespace: str, account: str, audience: str | None = None) -> str:
    """Ask the API server for a token of a ServiceAccount."""
    spec = {"audiences": [audience]} if audience else {}
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
    answer = api.http.post(path, json={"spec": spec})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["status"]["token"])


def kubeconfig(api: ApiServer, namespace: str, account: str, folder: Path) -> Path:
    """Write a kubeconfig that acts as a ServiceAccount."""
    path = folder / f"{namespace}-{account}.json"
    cluster = {"server": str(api.http.base_url).rstrip("/"), "certificate-authority": str(api.certificate)}
    path.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "it", "cluster": cluster}],
                "users": [{"name": "it", "user": {"token": token(api, namespace, account)}}],
                "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
                "current-context": "it",
            }
        )
    )
    return path


def container(deployment: Document) -> tuple[list[str], dict[str, str]]:
    """Arguments and variables of a Deployment's only container."""
    (found,) = deployment["spec"]["template"]["spec"]["containers"]
    return list(found["args"]), {entry["name"]: entry["value"] for entry in found.get("env", [])}


class Controller:
    """A running program; `said` is what it has told so far."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.process = process
        self.log = log

    @property
    def said(self) -> str:
        """The end of both streams."""
        return self.log.read_text(errors="replace")[-3000:]


@contextmanager
def running(
    settings: Settings, component: str, arguments: list[str], env: Mapping[str, str], folder: Path
) -> Iterator[Controller]:
    """Run a component's program until the block ends."""
    (program,) = golang.build(settings, load().get(component)).iterdir()
    log = folder / f"{component}.log"
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "KUBE"))}
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [program, *arguments], stdout=stream, stderr=subprocess.STDOUT, cwd=folder, env={**clean, **env}
        )
    try:
        yield Controller(process, log)
        assert process.poll() is None, log.read_text()[-3000:]
        assert "forbidden" not in log.read_text(), "its rights do not suffice"
    finally:
        process.kill()
        process.wait(10)


@contextmanager
def moto(folder: Path) -> Iterator[str]:
    """Run moto's server, which answers for AWS without asking who calls, and yield its URL."""
    port = free_range(1)
    with (folder / "moto.log").open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
            stdout=stream, stderr=subprocess.STDOUT,
        )  # fmt: skip
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool | None:
        try:
            return (
                True if httpx.get(f"{url}/moto-api/data.json", trust_env=False).status_code == 200 else None
            )
        except httpx.TransportError:
            return None

    try:
        until(answers, (folder / "moto.log").read_text)
        yield url
    finally:
        process.kill()
        process.wait(10)


def apply_all(api: ApiServer, documents: list[Document], *kinds: str) -> None:
    """Apply the documents of these kinds."""
    for document in documents:
        if document["kind"] in kinds:
            answer: Any = api.apply(document)
            assert answer.status_code in (200, 201), answer.text
