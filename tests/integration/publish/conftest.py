"""A real registry behind a gate, and tiny images of the product's three names in the engine."""

import dataclasses
import os
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from testcontainers.core.container import DockerContainer

from ci.oci import Registry
from ci.settings import IMAGES, Settings, wiring
from ci.supply import catalogue
from tests.integration.publish.gate import Gate

REGISTRY_IMAGE = os.environ.get("SLIPWAY_REGISTRY_IMAGE") or str(catalogue.load().get("registry").image)


def wait_for(port: int) -> None:
    """Wait until a registry answers on 127.0.0.1:`port`."""
    deadline = time.monotonic() + 20
    while True:
        try:
            httpx.get(f"http://127.0.0.1:{port}/v2/", trust_env=False)
            return
        except httpx.TransportError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


@pytest.fixture(scope="session")
def registry_port() -> Iterator[int]:
    """An empty registry for the whole session; tests use names of their own."""
    with DockerContainer(REGISTRY_IMAGE).with_exposed_ports(5000) as container:
        port = int(container.get_exposed_port(5000))
        wait_for(port)
        yield port


@pytest.fixture
def gate(registry_port: int) -> Iterator[Gate]:
    """The registry behind a gate, on the port that settings.registry_port will name."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with Gate(registry_port, port) as gate:
        yield gate


@pytest.fixture
def registry(registry_port: int) -> Iterator[Registry]:
    """The registry without a gate, as a witness."""
    with Registry(f"http://127.0.0.1:{registry_port}") as opened:
        yield opened


def git(folder: Path, *arguments: str) -> str:
    """Run git in `folder` as nobody in particular."""
    identity = ("-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@dataclass
class Workshop:
    """An environment with a source repository, and images built from its commits.

    The registry is shared by all tests and the names of the images are fixed, so each test takes
    versions of its own.
    """

    settings: Settings
    source: Path
    versions: list[str] = field(default_factory=list)

    def commit(self, content: str) -> str:
        """Change the source and commit; return the commit."""
        (self.source / "file").write_text(content)
        git(self.source, "add", "file")
        git(self.source, "commit", "-q", "-m", content)
        return git(self.source, "rev-parse", "HEAD")

    def build(self, version: str, revision: str) -> None:
        """Put the three images of `version` into the engine: a shared layer and one of their own."""
        context = self.source.parent / "context"
        context.mkdir(exist_ok=True)
        (context / "base").write_bytes(b"shared by all " * 10_000)
        for name in IMAGES:
            (context / "own").write_text(f"{name} {revision}")
            (context / "Dockerfile").write_text(
                "FROM scratch\nCOPY base /base\nCOPY own /own\n"
                f"LABEL org.opencontainers.image.version={version}"
                f" org.opencontainers.image.revision={revision} dev.slipway.schema-head=0007\n"
            )
            reference = f"{self.settings.wiring.registry}/{name}:{version}"
            subprocess.run(
                ["docker", "build", "-q", "-t", reference, str(context)],
                check=True, capture_output=True, env={**os.environ, "DOCKER_BUILDKIT": "0"},
            )  # fmt: skip
        self.versions.append(version)


@pytest.fixture
def workshop(gate: Gate, tmp_path: Path) -> Iterator[Workshop]:
    """An environment of its own for one test; its registry is the gate."""
    source = tmp_path / "source"
    source.mkdir()
    git(source, "init", "-q", "-b", "main")
    local = dataclasses.replace(wiring("local"), registry=f"slipway-test-{uuid.uuid4().hex[:8]}")
    shop = Workshop(Settings("publish-test", gate.port - 1, local, tmp_path / "cache"), source)
    yield shop
    for version in shop.versions:
        names = [f"{local.registry}/{name}:{version}" for name in IMAGES]
        subprocess.run(["docker", "rmi", *names], capture_output=True, check=False)


@pytest.fixture
def version(request: pytest.FixtureRequest) -> str:
    """A version that no other test uses."""
    return f"v{uuid.uuid4().int % 10**8}.{os.getpid()}.{len(request.node.name)}"
