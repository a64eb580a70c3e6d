"""One environment of its own for these tests: containers, network and volumes are removed at the end."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from ci import infra, supply
from ci.local import aws, container, events, registry
from ci.local.teardown import SERVICES
from ci.settings import Settings, wiring
from tests.integration.local.parts import Node, Repository, image
from tests.ports import free_range


@pytest.fixture(scope="session", autouse=True)
def images() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(supply, "image", image)
        yield


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    name = f"slipway-test-{secrets.token_hex(3)}"
    made = Settings(name, free_range(5), wiring("local"), tmp_path_factory.mktemp("cache"))
    yield made
    Node(made).stop()
    for role in SERVICES:
        container.remove(made, role, data=True)
    container.remove_networks(made)


@pytest.fixture(scope="session")
def node(settings: Settings) -> Node:
    made = Node(settings)
    made.start()
    return made


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository.create(tmp_path / "source")


@pytest.fixture(scope="session")
def gated(settings: Settings, node: Node) -> Settings:
    """The registry behind its front, with the stand-in for AWS and the events relay beside it."""
    assert node
    aws.ensure(settings)
    infra.ensure(settings, "local")
    events.ensure(settings)
    registry.ensure(settings)
    return settings
