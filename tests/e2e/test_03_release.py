"""A release with a migration, under load."""

import re
import uuid

from ci.settings import IMAGES
from tests.e2e.checkout import Checkout
from tests.e2e.environment import OVERLAY, Environment
from tests.e2e.observers import Pods, Writer


def test_release_with_migration(settled: Environment, checkout: Checkout) -> None:
    old, new = settled.version()["version"], settled.next_version()
    key = uuid.uuid4().hex
    settled.add(key, "written before the release", 4711).raise_for_status()
    head, job = settled.head(), settled.job()
    assert job is not None
    revision = checkout.add_revision("entry notes", "ALTER TABLE entries ADD COLUMN note text")

    with Pods(settled) as pods, Writer(settled) as writer:
        ended = settled.release(new, checkout.folder).succeeded()
        afterwards = {settled.version()["version"] for _ in range(20)}
        settled.settle()

    assert afterwards == {new}
    assert f"{new} serves at {settled.settings.url}" in ended.out
    answer = settled.version()
    assert (answer["version"], answer["schema_head"], answer["schema_live"]) == (new, revision, revision)
    assert answer["revision"] == checkout.git("rev-parse", "HEAD")
    assert new in settled.product.get("/").text
    pods.check(old, new)
    writer.check(settled)
    assert writer.versions == {old, new}
    assert settled.query(
        f"SELECT description, amount, note FROM entries WHERE idempotency_key = '{key}'"
    ) == [("written before the release", 4711, None)]
    migration = settled.job()
    assert migration is not None
    assert migration.uid != job.uid
    assert (migration.tag, migration.succeeded) == (new, True)
    _one_commit(settled, head, old, new)
    _one_record(settled, new)


def _one_commit(environment: Environment, before: str, old: str, new: str) -> None:
    """Exactly one commit since, which changes exactly the recorded version."""
    (commit,) = environment.commits_since(before)
    assert commit["paths"] == OVERLAY
    lines = [line for line in commit["diff"].splitlines() if re.match(r"[+-](?![+-])", line)]
    assert [line.replace('"', "").split() for line in lines] == [["-", "newTag:", old], ["+", "newTag:", new]]


def _one_record(environment: Environment, version: str) -> None:
    """What runs is what the app's manifest says of its release."""
    manifests = {image: environment.manifest(image, version) for image in IMAGES}
    notes = manifests["eks-app"]["annotations"]
    assert notes["dev.slipway.image.web"] == manifests["eks-web"]["digest"]
    assert notes["dev.slipway.image.migration"] == manifests["eks-migration"]["digest"]
    for pod in environment.pods():
        assert pod.digests == {name: manifests[f"eks-{name}"]["digest"] for name in ("app", "web")}


def test_release_without_migration_runs_the_hook_all_the_same(
    settled: Environment, checkout: Checkout
) -> None:
    """A hook may be skipped only by mistake (argo-cd 25475, 9830), so every release must show one."""
    old, new, job = settled.version()["version"], settled.next_version(), settled.job()
    checkout.touch("nothing of note")
    with Pods(settled) as pods, Writer(settled) as writer:
        settled.release(new, checkout.folder).succeeded()
        settled.settle()
    pods.check(old, new)
    writer.check(settled)
    migration = settled.job()
    assert job is not None
    assert migration is not None
    assert migration.uid != job.uid
    assert (migration.tag, migration.succeeded) == (new, True)
