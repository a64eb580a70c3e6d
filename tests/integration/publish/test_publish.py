"""The publisher against a real registry: once, in order, and finished after any kill."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ci.oci import Registry
from ci.problem import Problem
from ci.publish import exclusive, publish, released, versions
from ci.settings import IMAGES, ROOT
from ci.version import parse
from tests.integration.publish.conftest import Workshop
from tests.integration.publish.gate import LOSE, Gate, Verdict

pytestmark = pytest.mark.integration
MIGRATION, WEB, APP = IMAGES


def start(shop: Workshop, version: str) -> "subprocess.Popen[str]":
    """Publish in a process of its own."""
    settings = shop.settings
    given = {
        "name": settings.name,
        "port": settings.port,
        "registry": settings.wiring.registry,
        "cache": str(settings.cache),
    }
    script = Path(__file__).with_name("publisher.py")
    return subprocess.Popen(
        [sys.executable, str(script), json.dumps(given), str(shop.source), version],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


def present(registry: Registry, version: str) -> list[str]:
    return [name for name in IMAGES if registry.digest(name, version)]


def test_the_app_carries_the_release(workshop: Workshop, registry: Registry, version: str) -> None:
    commit = workshop.commit("one")
    workshop.build(version, commit)
    release = publish(workshop.settings, version, workshop.source, building=False)
    digests = {name: registry.digest(name, version) for name in IMAGES}
    assert release.digests == digests
    app = registry.manifest(APP, version)
    assert app is not None
    assert app.media_type == "application/vnd.oci.image.manifest.v1+json"
    assert app.annotations == {
        "org.opencontainers.image.title": APP,
        "org.opencontainers.image.version": version,
        "org.opencontainers.image.revision": commit,
        "dev.slipway.image.web": digests[WEB],
        "dev.slipway.image.migration": digests[MIGRATION],
        "dev.slipway.schema-head": "0007",
    }
    assert released(registry, parse(version)) == release
    assert parse(version) in versions(registry)


def test_what_was_published_can_be_pulled_and_is_the_same_image(
    workshop: Workshop, registry_port: int, version: str
) -> None:
    workshop.build(version, workshop.commit("one"))
    publish(workshop.settings, version, workshop.source, building=False)
    local = f"{workshop.settings.wiring.registry}/{APP}:{version}"
    remote = f"127.0.0.1:{registry_port}/{APP}:{version}"
    subprocess.run(["docker", "pull", "-q", remote], check=True, capture_output=True)
    ids = subprocess.run(
        ["docker", "image", "inspect", "--format", "{{.Id}}", local, remote],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    subprocess.run(["docker", "rmi", remote], check=True, capture_output=True)
    assert len(set(ids.stdout.split())) == 1


def test_manifests_arrive_in_order_app_last(workshop: Workshop, gate: Gate, version: str) -> None:
    workshop.build(version, workshop.commit("one"))
    publish(workshop.settings, version, workshop.source, building=False)
    assert gate.sent("PUT", "/manifests/") == [f"/v2/{name}/manifests/{version}" for name in IMAGES]


@pytest.mark.parametrize("number", [1, 2, 3])
def test_killed_before_a_manifest_ships_nothing_and_the_same_command_finishes(
    workshop: Workshop, gate: Gate, registry: Registry, version: str, number: int
) -> None:
    workshop.build(version, workshop.commit("one"))
    gate.hold_manifest(number)
    process = start(workshop, version)
    assert gate.held.wait(30)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert present(registry, version) == list(IMAGES[: number - 1])
    assert parse(version) not in versions(registry)
    before = {name: registry.digest(name, version) for name in IMAGES[: number - 1]}

    gate.open()
    release = publish(workshop.settings, version, workshop.source, building=False)
    assert gate.sent("PUT", "/manifests/") == [
        f"/v2/{name}/manifests/{version}" for name in IMAGES[number - 1 :]
    ]
    for name, digest in before.items():
        assert release.digests[name] == digest == registry.digest(name, version)
    record = released(registry, parse(version))
    assert record == release


def test_a_rest_from_another_commit_is_not_finished(
    workshop: Workshop, gate: Gate, registry: Registry, version: str
) -> None:
    workshop.build(version, workshop.commit("one"))
    gate.hold_manifest(2)
    process = start(workshop, version)
    assert gate.held.wait(30)
    process.kill()
    process.communicate()
    gate.open()
    workshop.build(version, workshop.commit("two"))
    left = registry.digest(MIGRATION, version)
    with pytest.raises(Problem, match=f"{MIGRATION} {version} is already there, from revision") as raised:
        publish(workshop.settings, version, workshop.source, building=False)
    assert raised.value.fix.startswith(f"take the next version, {parse(version).next()}")
    assert gate.sent("PUT", "") == []
    assert gate.sent("POST", "") == []
    assert present(registry, version) == [MIGRATION]
    assert registry.digest(MIGRATION, version) == left


def test_a_version_is_never_published_twice(
    workshop: Workshop, gate: Gate, registry: Registry, version: str
) -> None:
    workshop.build(version, workshop.commit("one"))
    publish(workshop.settings, version, workshop.source, building=False)
    before = {name: registry.digest(name, version) for name in IMAGES}
    workshop.build(version, workshop.commit("two"))
    gate.open()
    with pytest.raises(Problem, match=f"{version} is already published"):
        publish(workshop.settings, version, workshop.source, building=False)
    assert {used for used, _ in gate.log} <= {"GET", "HEAD"}
    assert {name: registry.digest(name, version) for name in IMAGES} == before


def test_the_same_version_twice_at_once_is_published_once(
    workshop: Workshop, gate: Gate, version: str
) -> None:
    workshop.build(version, workshop.commit("one"))
    processes = [start(workshop, version) for _ in range(4)]
    said = [process.communicate(timeout=60)[1] for process in processes]
    assert [process.returncode for process in processes].count(0) == 1, said
    for process, words in zip(processes, said, strict=True):
        if process.returncode:
            assert "is being released right now" in words or "is already published" in words
            assert len(words.strip().splitlines()) == 2
    assert len(gate.sent("PUT", f"/manifests/{version}")) == 3


def test_two_versions_at_once_wait_for_each_other(workshop: Workshop, version: str) -> None:
    with (
        exclusive(workshop.settings, parse("v0.0.1")),
        pytest.raises(Problem, match=r"v0\.0\.1 is being released right now"),
        exclusive(workshop.settings, parse(version)),
    ):
        pass


def test_images_of_another_commit_are_not_published(
    workshop: Workshop, registry: Registry, version: str
) -> None:
    workshop.build(version, workshop.commit("one"))
    workshop.commit("two")
    with pytest.raises(Problem, match="was built from"):
        publish(workshop.settings, version, workshop.source, building=False)
    assert present(registry, version) == []


def test_a_version_that_is_not_built(workshop: Workshop, version: str) -> None:
    workshop.commit("one")
    with pytest.raises(Problem, match="is not built") as raised:
        publish(workshop.settings, version, workshop.source, building=False)
    assert raised.value.fix == f"invoke build --version {version}"


def test_unchanged_layers_are_neither_compressed_nor_sent_again(
    workshop: Workshop, gate: Gate, version: str
) -> None:
    workshop.build(version, workshop.commit("one"))
    publish(workshop.settings, version, workshop.source, building=False)
    index = workshop.settings.cache / "blobs" / "layers"
    first = {path.name: path.stat().st_mtime_ns for path in index.iterdir()}
    assert len(first) == 4  # one shared, three of their own
    gate.open()
    following = str(parse(version).next())
    workshop.build(following, workshop.commit("two"))
    publish(workshop.settings, following, workshop.source, building=False)
    second = {path.name: path.stat().st_mtime_ns for path in index.iterdir()}
    assert len(second) == 7
    assert all(second[name] == time for name, time in first.items())
    # A layer and a configuration each; the shared layer is there.
    assert len(gate.sent("PUT", "/blobs/uploads/")) == 6


def test_no_registry(workshop: Workshop, gate: Gate, version: str) -> None:
    workshop.commit("one")
    gate.__exit__()
    with pytest.raises(Problem, match="no registry answers") as raised:
        publish(workshop.settings, version, workshop.source, building=False)
    assert raised.value.fix == "invoke bootstrap"


@pytest.mark.parametrize(
    ("method", "part"), [("POST", "/blobs/uploads/"), ("PUT", "/blobs/uploads/"), ("PUT", "/manifests/")]
)
@pytest.mark.parametrize("verdict", [LOSE, Verdict("answer", 503), Verdict("answer", 429)])
def test_passing_failures_are_tried_again(
    workshop: Workshop,
    gate: Gate,
    registry: Registry,
    version: str,
    method: str,
    part: str,
    verdict: Verdict,
) -> None:
    workshop.build(version, workshop.commit("one"))
    gate.once(method, part, verdict, times=2)
    publish(workshop.settings, version, workshop.source, building=False)
    assert present(registry, version) == list(IMAGES)


def test_a_damaged_layer_in_the_cache_is_refused_and_made_anew(
    workshop: Workshop, gate: Gate, registry: Registry, version: str
) -> None:
    workshop.build(version, workshop.commit("one"))
    gate.once("POST", "/blobs/uploads/", Verdict("answer", 403), times=99)
    with pytest.raises(Problem, match="answered 403"):  # compressed, and not uploaded
        publish(workshop.settings, version, workshop.source, building=False)
    gate.open()
    cached = list((workshop.settings.cache / "blobs" / "sha256").iterdir())
    assert len(cached) == 2
    for path in cached:
        path.write_bytes(bytes(reversed(path.read_bytes())))
    with pytest.raises(Problem, match="DIGEST_INVALID"):
        publish(workshop.settings, version, workshop.source, building=False)
    assert present(registry, version) == []
    publish(workshop.settings, version, workshop.source, building=False)
    assert present(registry, version) == list(IMAGES)
