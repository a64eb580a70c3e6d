"""One environment of its own for these tests: containers, network and volumes are removed at the end."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from ci import shell, supply
from ci.local import container
from ci.settings import Settings, wiring
from tests.integration.local.parts import Node, Repository, free_ports, image


@pytest.fixture(scope="session", autouse=True)
def images() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(supply, "image", image)
        yield


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    name = f"slipway-test-{secrets.token_hex(3)}"
    made = Settings(name, free_ports(4), wiring("local"), tmp_path_factory.mktemp("cache"))
    yield made
    Node(made).stop()
    for role in ("registry", "git", "database", "events"):
        container.remove(made, role, data=True)
    shell.run("docker", "network", "rm", made.network, ok=(0, 1))


@pytest.fixture(scope="session")
def node(settings: Settings) -> Node:
    made = Node(settings)
    made.start()
    return made


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository.create(tmp_path / "source")
