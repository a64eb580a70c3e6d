"""The pull path, with a real registry in upstream's place."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import HttpWaitStrategy

from ci import shell, supply
from ci.problem import Problem
from ci.settings import Settings, wiring
from ci.supply import catalogue, enginestore, pull
from tests.integration.publish.conftest import REGISTRY_IMAGE


@dataclass(frozen=True, slots=True)
class Upstream:
    """A registry, and the one component that a catalogue of the test's own takes from it."""

    address: str
    image: str
    tool: str

    def push(self, reference: str, content: str, folder: Path) -> None:
        """Publish an image that holds `content` as /bin/program, under the path of `reference`."""
        (folder / "bin").mkdir(exist_ok=True)
        (folder / "bin" / "program").write_text(content)
        target = f"{self.address}/{enginestore.mirror_path(reference)}"
        shell.run("tar", "-C", str(folder), "-cf", str(folder / "image.tar"), "bin")
        shell.run("docker", "import", str(folder / "image.tar"), target)
        shell.run("docker", "push", "--quiet", target)
        shell.run("docker", "image", "rm", target)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    container = DockerContainer(REGISTRY_IMAGE).with_exposed_ports(5000)
    container.waiting_for(HttpWaitStrategy(5000, "/v2/"))
    with container:
        yield f"127.0.0.1:{container.get_exposed_port(5000)}"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings("slipway-pull", 29500, wiring("local"), tmp_path / "cache")


@pytest.fixture
def upstream(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Upstream]:
    mark = uuid.uuid4().hex[:8]
    found = Upstream(address, f"quay.io/slipway-test/thing-{mark}:v1", f"quay.io/slipway-test/tool-{mark}:v1")
    listing = tmp_path / "catalogue.toml"
    listing.write_text(
        '[toolchain]\nversion = "1"\n'
        '[component.debian]\nversion = "none"\nhow = "debootstrap"\nseconds = 1\nimage = "slipway-test/debian:none"\n'
        f'[component.thing]\nversion = "v1"\nhow = "dockerfile"\nseconds = 1\nimage = "{found.image}"\n'
        f'[component.tool]\nversion = "v1"\nhow = "deb"\nseconds = 1\npull = "{found.tool}"\npath = "/bin/program"\n'
    )
    monkeypatch.setenv("SLIPWAY_CATALOGUE", str(listing))
    monkeypatch.setenv("SLIPWAY_UPSTREAM", address)
    monkeypatch.delenv("SLIPWAY_SUPPLY", raising=False)
    pull.answers.cache_clear()
    yield found
    for reference in (found.image, found.tool):
        for name in (reference, f"{address}/{enginestore.mirror_path(reference)}"):
            shell.run("docker", "image", "rm", "--force", name, ok=(0, 1))


def test_an_image_is_pulled_under_upstreams_name(
    upstream: Upstream, settings: Settings, tmp_path: Path
) -> None:
    upstream.push(upstream.image, "one", tmp_path)
    supply.ensure(settings, ["thing"])
    enginestore.copy_out(upstream.image, "/bin/program", tmp_path / "program")
    assert (tmp_path / "program").read_text() == "one"
    assert supply.shares(settings)[0][:2] == ("thing", "pull")


def test_a_tool_is_taken_out_of_its_image(upstream: Upstream, settings: Settings, tmp_path: Path) -> None:
    upstream.push(upstream.tool, "#!/bin/sh\necho works\n", tmp_path)
    assert shell.run(str(supply.tool(settings, "tool"))).out == "works\n"


def test_a_moved_tag_is_refused_and_not_used(upstream: Upstream, settings: Settings, tmp_path: Path) -> None:
    upstream.push(upstream.image, "one", tmp_path)
    supply.ensure(settings, ["thing"])
    first = pull.locked_digests(settings)[upstream.image]
    for name in (upstream.image, f"{upstream.address}/{enginestore.mirror_path(upstream.image)}"):
        shell.run("docker", "image", "rm", "--force", name, ok=(0, 1))
    upstream.push(upstream.image, "two", tmp_path)
    with pytest.raises(Problem) as caught:
        supply.ensure(settings, ["thing"])
    assert f"but {first} is locked" in caught.value.what
    assert enginestore.key_of(upstream.image) is None


def test_an_upstream_without_the_image_is_two_lines(upstream: Upstream, settings: Settings) -> None:
    with pytest.raises(Problem) as caught:
        supply.ensure(settings, ["thing"])
    assert "pulling" in caught.value.what
    assert "SLIPWAY_SUPPLY=build" in caught.value.fix


def test_a_silent_upstream_means_build(
    upstream: Upstream, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    component = catalogue.load().get("thing")
    assert supply.how(component) == "pull"
    monkeypatch.setenv("SLIPWAY_UPSTREAM", "127.0.0.1:1")
    assert supply.how(component) == "build"
    monkeypatch.setenv("SLIPWAY_SUPPLY", "pull")
    assert supply.how(component) == "pull"
    with pytest.raises(Problem):
        supply.ensure(settings, ["thing"])


def test_build_can_be_chosen_where_upstream_answers(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLIPWAY_SUPPLY", "build")
    assert supply.how(catalogue.load().get("thing")) == "build"


def test_an_unknown_mode_is_refused(upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_SUPPLY", "download")
    with pytest.raises(Problem, match="SLIPWAY_SUPPLY 'download' is not a mode"):
        supply.mode()
