"""A migration that fails or hangs leaves the old version serving, and says why; the next one works."""

import time

import pytest

from tests.e2e.checkout import Checkout
from tests.e2e.environment import PRODUCT, Environment, Job, until
from tests.e2e.observers import Pods, Writer

WORDS_SECONDS = 60

FAILING = ("broken", "ALTER TABLE no_such_table ADD COLUMN x int", "no_such_table")
HANGING = ("hanging", "SELECT pg_sleep(1000)", "statement timeout")


@pytest.mark.parametrize(("title", "statement", "words"), [FAILING, HANGING], ids=["fails", "hangs"])
def test_bad_migration(
    settled: Environment, checkout: Checkout, title: str, statement: str, words: str
) -> None:
    before, bad = settled.version(), settled.next_version()
    revision = checkout.add_revision(title, statement)

    with Pods(settled) as pods, Writer(settled) as writer:
        release = settled.start("release", "--version", bad, cwd=checkout.folder)
        if title == "hanging":
            step = f"applying {revision}, hanging"
            until(lambda: True if step in settled.status() else None, "status does not show the step", 90, 1)
        failed = until(lambda: _failed(settled, bad), "the Job did not fail", 240)
        noticed = time.monotonic()
        until(
            lambda: True if words in settled.status() else None, "status does not tell why", WORDS_SECONDS, 1
        )
        assert time.monotonic() - noticed < WORDS_SECONDS
        ended = release.wait(WORDS_SECONDS)
        _forget(settled)
        shown = settled.status()

    ended.refused(
        f"the migration of {bad} failed: .*{words}.*{before['version']} still serves", "next version"
    )
    # Hook and pod are gone by now; the words are not.
    assert words in shown
    assert f"{bad} failed" in " ".join(shown.split())
    writer.check(settled)
    assert writer.versions == {before["version"]}
    assert {tag for sample in pods.samples for pod in sample.pods for tag in pod.tags.values()} == {
        before["version"]
    }
    assert settled.version() == before
    assert settled.query(f"SELECT 1 FROM schema_revisions WHERE revision = '{revision}'") == []
    assert failed.tag == bad

    _next_good_release(settled, checkout)


def _failed(environment: Environment, version: str) -> Job | None:
    job = environment.job()
    return job if job is not None and job.tag == version and job.failed else None


def _forget(environment: Environment) -> None:
    """Delete Job and pod, as time or the next release would."""
    environment.batch.delete_namespaced_job("migration", PRODUCT, propagation_policy="Foreground")
    until(lambda: True if environment.job() is None else None, "the Job is still there")


def _next_good_release(environment: Environment, checkout: Checkout) -> None:
    old, good = environment.version()["version"], environment.next_version()
    checkout.revert()
    with Pods(environment) as pods, Writer(environment) as writer:
        environment.release(good, checkout.folder).succeeded()
        environment.settle()
    pods.check(old, good)
    writer.check(environment)
    assert environment.version()["version"] == good
