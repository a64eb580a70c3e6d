"""A release in production, with a real repository and a real registry: once, whole, in order, repeatable.

What is built is the workshop's: small images of the same names and labels. The bake is tested with the product.
"""

import dataclasses
import itertools
from pathlib import Path

import pytest

from ci import settings, ship
from ci.oci import Registry
from ci.problem import Problem
from ci.settings import IMAGES
from tests.integration.publish.conftest import Workshop, git
from tests.integration.publish.gate import Gate, Verdict

NUMBERS = itertools.count(1)


class Yard:
    """A workshop that ships to the gate's registry, as production would to ECR."""

    def __init__(self, workshop: Workshop, gate: Gate, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.workshop = workshop
        self.built: list[str] = []
        self.caches: list[dict[str, str]] = []
        self.output = folder / "output"
        place = dataclasses.replace(settings.wiring("production"), registry=workshop.settings.wiring.registry)
        monkeypatch.setattr(ship, "wiring", lambda name: {"production": place}[name])
        monkeypatch.setattr(ship, "build", self._build)
        monkeypatch.setenv(ship.REGISTRY_URL, f"http://127.0.0.1:{gate.port}")
        monkeypatch.setenv("GITHUB_OUTPUT", str(self.output))

    def _build(
        self, given: settings.Settings, version: object, source: Path, committed: bool, cache: dict[str, str]
    ) -> None:
        assert committed
        self.caches.append(cache)
        self.built.append(str(version))
        self.workshop.build(str(version), git(source, "rev-parse", "HEAD"))

    def tagged(self) -> str:
        """Commit to main and tag it with a version above all that the shared registry has."""
        version = f"v999999999.{next(NUMBERS)}.0"
        self.workshop.commit(version)
        git(self.workshop.source, "update-ref", "refs/remotes/origin/main", "HEAD")
        git(self.workshop.source, "tag", version)
        return version

    def ship(self, version: str) -> dict[str, str]:
        """Ship; return what the workflow's next steps are told."""
        self.output.unlink(missing_ok=True)
        ship.ship(self.workshop.settings, version, self.workshop.source)
        return dict(line.split("=", 1) for line in self.output.read_text().splitlines())


@pytest.fixture
def yard(workshop: Workshop, gate: Gate, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Yard:
    return Yard(workshop, gate, monkeypatch, tmp_path)


def test_ships_a_tag_and_tells_the_digests(yard: Yard, registry: Registry) -> None:
    version = yard.tagged()
    told = yard.ship(version)
    assert told == {name: registry.digest(name, version) for name in IMAGES}
    assert list(told) == list(IMAGES)


def test_a_repeated_run_builds_nothing_and_tells_the_same(yard: Yard) -> None:
    version = yard.tagged()
    first = yard.ship(version)
    newer = yard.tagged()
    yard.ship(newer)
    git(yard.workshop.source, "checkout", "-q", version)
    assert yard.ship(version) == first
    assert yard.built == [version, newer]


def test_layers_come_from_the_last_version(yard: Yard, gate: Gate) -> None:
    first = yard.tagged()
    yard.ship(first)
    yard.ship(yard.tagged())
    of_first = ",".join(f"127.0.0.1:{gate.port}/{name}:{first}" for name in IMAGES)
    assert yard.caches[1]["CACHE_FROM"] == of_first
    assert {cache["CACHE_TO"] for cache in yard.caches} == {"type=inline"}
    assert not Path(yard.caches[1]["DOCKER_CONFIG"]).exists()


def test_an_interrupted_run_is_finished(yard: Yard, gate: Gate, registry: Registry) -> None:
    version = yard.tagged()
    last = f"/v2/{IMAGES[-1]}/manifests/{version}"
    gate.rule = lambda method, path: Verdict("answer", 400) if (method, path) == ("PUT", last) else None
    with pytest.raises(Problem, match="the registry failed"):
        yard.ship(version)
    kept = {name: registry.digest(name, version) for name in IMAGES[:-1]}
    assert all(kept.values())
    assert registry.digest(IMAGES[-1], version) is None
    gate.rule = lambda method, path: None
    told = yard.ship(version)
    assert {name: told[name] for name in IMAGES[:-1]} == kept


def test_an_older_tag_is_not_published_after_a_newer_one(yard: Yard, registry: Registry) -> None:
    older = yard.tagged()
    yard.ship(yard.tagged())
    git(yard.workshop.source, "checkout", "-q", older)
    with pytest.raises(Problem, match="is older than"):
        yard.ship(older)
    assert registry.digest(IMAGES[0], older) is None


def test_a_tag_that_was_moved_is_refused(yard: Yard) -> None:
    version = yard.tagged()
    yard.ship(version)
    yard.workshop.commit("moved")
    git(yard.workshop.source, "update-ref", "refs/remotes/origin/main", "HEAD")
    git(yard.workshop.source, "tag", "--force", version)
    with pytest.raises(Problem, match="already published, from revision"):
        yard.ship(version)
