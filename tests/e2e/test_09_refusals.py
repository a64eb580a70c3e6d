"""Bad input to a living environment: two lines, exit 1, and nothing changed anywhere."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ci.settings import IMAGES
from tests.e2e.checkout import Checkout
from tests.e2e.environment import Environment
from tests.invocation import Ended

DEAD_ENGINE = {"DOCKER_HOST": "unix:///nonexistent/docker.sock"}


@pytest.fixture
def unchanged(settled: Environment) -> Iterator[Environment]:
    """The environment, compared part by part with what it was before the test."""
    before = settled.snapshot()
    yield settled
    assert settled.snapshot() == before


def _release(environment: Environment, checkout: Checkout, version: str) -> Ended:
    return environment.invoke("release", "--version", version, cwd=checkout.folder, seconds=60)


def test_version_is_live(unchanged: Environment, checkout: Checkout) -> None:
    live = unchanged.version()["version"]
    _release(unchanged, checkout, live).refused(f"{live} is already published", "take the next version, v")


def test_version_is_lower_than_the_live_one(unchanged: Environment, checkout: Checkout) -> None:
    _release(unchanged, checkout, "v0.0.9").refused("v0.0.9 is lower than v.*, which is", "take a higher")


@pytest.mark.parametrize("version", ["1.2.3", "v1.2", "v1.2.3-rc.1", "newest"])
def test_version_is_none(unchanged: Environment, checkout: Checkout, version: str) -> None:
    _release(unchanged, checkout, version).refused("is not a version", "v1.2.3")


def test_work_tree_is_dirty(unchanged: Environment, checkout: Checkout) -> None:
    stray = checkout.folder / "app" / "stray.txt"
    stray.write_text("not committed")
    try:
        ended = _release(unchanged, checkout, "v9.9.9")
        ended.refused(r"changes that are in no commit: app/stray\.txt", "commit")
    finally:
        stray.unlink()


def test_pushing_what_is_not_built(unchanged: Environment, checkout: Checkout) -> None:
    ended = unchanged.invoke("push", "--version", "v9.9.9", cwd=checkout.folder)
    ended.refused("v9.9.9 is not built", "invoke build --version v9.9.9")


def test_pushing_what_is_published(unchanged: Environment, checkout: Checkout) -> None:
    live = unchanged.version()["version"]
    ended = unchanged.invoke("push", "--version", live, cwd=checkout.folder)
    ended.refused(f"{live} is already published", "take the next version")


@pytest.mark.parametrize("verb", ["bootstrap", "build", "push", "release"])
def test_engine_is_gone(unchanged: Environment, checkout: Checkout, verb: str) -> None:
    argv = () if verb == "bootstrap" else ("--version", "v9.9.9")
    ended = unchanged.invoke(verb, *argv, cwd=checkout.folder, env=DEAD_ENGINE)
    # A bootstrap that sees no engine cannot know that the ports are its own.
    ended.refused("no Docker engine answers|on 127.0.0.1, .* is taken")


def test_ports_belong_to_another_environment(unchanged: Environment) -> None:
    """A second environment on the same ports is refused before it makes anything."""
    ended = unchanged.invoke("bootstrap", env={"SLIPWAY_NAME": "slipway-other"})
    ended.refused(f"port {unchanged.settings.port} on 127.0.0.1, .* is taken", "SLIPWAY_PORT")
    assert not (unchanged.settings.cache / "environments" / "slipway-other").exists()


def test_disk_is_full_when_building(unchanged: Environment, checkout: Checkout, tmp_path: Path) -> None:
    checkout.touch("no room to build")
    release = unchanged.start(
        "release", "--version", "v9.9.9", cwd=checkout.folder,
        env={"TMPDIR": str(tmp_path)}, before=_on_a_full_disk(tmp_path),
    )  # fmt: skip
    release.wait(120).refused("the disk is full", "free some space")


def test_disk_is_full_when_publishing(settled: Environment, checkout: Checkout) -> None:
    """Nothing is shipped, and the same command finishes it when there is room."""
    new, head = settled.next_version(), settled.head()
    checkout.touch("no room to publish")
    blobs = settled.settings.cache / "blobs"
    release = settled.start("release", "--version", new, cwd=checkout.folder, before=_on_a_full_disk(blobs))
    release.wait(300).refused("the disk is full", "free some space")
    assert [image for image in IMAGES if new in settled.tags(image)] == []
    assert settled.head() == head
    settled.release(new, checkout.folder).succeeded()
    assert settled.version()["version"] == new


def _on_a_full_disk(folder: Path) -> tuple[str, ...]:
    """Run a command with a tiny file system at `folder`, which only it sees."""
    own = () if os.geteuid() == 0 else ("--map-root-user",)
    script = 'mount -t tmpfs -o size=64k full "$0" && exec "$@"'
    return ("unshare", "--mount", *own, "sh", "-c", script, str(folder))


def test_destroy_without_an_answer(unchanged: Environment) -> None:
    unchanged.invoke("destroy").refused("nothing was removed", "--yes")


def test_destroy_without_engine(unchanged: Environment) -> None:
    """Last, because a mistake here costs the environment."""
    unchanged.invoke("destroy", "--yes", "--keep-cache", env=DEAD_ENGINE).refused("no Docker engine answers")
    assert unchanged.settings.kubeconfig.exists()
