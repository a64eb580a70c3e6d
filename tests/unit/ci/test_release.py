import itertools

import pytest

from ci import release, views
from ci.problem import Problem
from ci.release import Sight
from ci.version import Version, parse
from ci.views import Evidence, Migration
from tests.unit.ci import objects

NEW, OLD = "v0.2.0", "v0.1.0"


def sight(**changes: object) -> Sight:
    """A release at its start: the old version is recorded and runs."""
    plain: dict[str, object] = {
        "recorded": OLD,
        "commits": frozenset(),
        "application": views.application(objects.application("Succeeded", "old")),
        "migration": Migration(OLD, "succeeded"),
        "pods": (views.pod(objects.pod("a", OLD)), views.pod(objects.pod("b", OLD))),
        "serving": "",
    }
    return Sight(**{**plain, **changes})  # type: ignore[arg-type]


RECORDED = {"recorded": NEW, "commits": frozenset({"new"})}
SYNCING = {**RECORDED, "application": views.application(objects.application("Running", "new", "waiting"))}
MIGRATED = {**SYNCING, "migration": Migration(NEW, "succeeded")}
ROLLED = {
    **MIGRATED,
    "pods": (views.pod(objects.pod("c", NEW)), views.pod(objects.pod("a", OLD, leaving=True))),
}


@pytest.mark.parametrize(
    ("changes", "steps"),
    [
        ({}, 0),
        (RECORDED, 1),
        (SYNCING, 2),
        ({**SYNCING, "migration": Migration(NEW, "running")}, 2),
        (MIGRATED, 3),
        ({**MIGRATED, "pods": (views.pod(objects.pod("c", NEW)), views.pod(objects.pod("a", OLD)))}, 3),
        ({**MIGRATED, "pods": (views.pod(objects.pod("c", NEW, ready=False)),)}, 3),
        ({**MIGRATED, "pods": (views.pod(objects.pod("c", NEW, web=OLD)),)}, 3),
        ({**MIGRATED, "pods": ()}, 3),
        (ROLLED, 4),
        ({**ROLLED, "serving": OLD}, 4),
        ({**ROLLED, "serving": NEW}, 5),
        # What was missed between two looks is proven by what came after.
        ({"pods": (views.pod(objects.pod("c", NEW)),), "serving": NEW}, 5),
    ],
)
def test_how_far_a_release_is(changes: dict[str, object], steps: int) -> None:
    assert release.reached(NEW, sight(**changes)) == steps


@pytest.mark.parametrize("changes", [{}, RECORDED, SYNCING, MIGRATED, ROLLED])
def test_a_release_under_way_has_not_failed(changes: dict[str, object]) -> None:
    assert release.failure(parse(NEW), sight(**changes)) is None


@pytest.mark.parametrize("state", ["failed", "terminated"])
def test_a_failed_migration_gives_its_own_words(state: str) -> None:
    found = sight(**SYNCING, migration=Migration(NEW, state, "step 0002\ncolumn exists\n"))
    assert release.failure(parse(NEW), found) == f"the migration of {NEW} {state}: step 0002; column exists"


def test_an_earlier_migrations_failure_is_not_this_ones() -> None:
    assert release.failure(parse(NEW), sight(migration=Migration(OLD, "failed", "x"))) is None


def test_a_failed_sync_of_the_version() -> None:
    application = views.application(objects.application("Failed", "new", "job deadline"))
    found = sight(**RECORDED, application=application)
    assert release.failure(parse(NEW), found) == f"the sync of {NEW} failed: job deadline"


def test_a_failed_sync_of_the_predecessor_is_not_this_ones() -> None:
    application = views.application(objects.application("Failed", "old", "x"))
    assert release.failure(parse(NEW), sight(**RECORDED, application=application)) is None


def test_a_newer_version_overtakes() -> None:
    found = sight(recorded="v0.3.0")
    assert release.failure(parse(NEW), found) == f"{NEW} was overtaken: git asks for v0.3.0"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "git asks for v0.1.0"),
        (SYNCING, "Argo CD: Running waiting"),
        (
            {**SYNCING, "migration": Migration(NEW, "running", "a\nstep 0002\n")},
            "migration running: step 0002",
        ),
        (
            {
                **MIGRATED,
                "pods": (views.pod(objects.pod("c", NEW, ready=False, waiting="CrashLoopBackOff")),),
            },
            "0 of 1 pods are ready with it app: CrashLoopBackOff why; web: CrashLoopBackOff why",
        ),
        ({**ROLLED, "serving": OLD}, "the url serves v0.1.0"),
    ],
)
def test_what_a_release_waits_for(changes: dict[str, object], words: str) -> None:
    assert release.state(NEW, sight(**changes)) == words


@pytest.mark.parametrize(
    ("version", "words", "fix"),
    [
        ("v0.2.0", "v0.2.0 is the live version", "take a higher version, such as v0.2.1"),
        (
            "v0.1.9",
            "v0.1.9 is lower than v0.2.0, which is the live version",
            "take a higher version, such as v0.2.1",
        ),
        ("v0.3.0", "v0.3.0 is published already", "take a higher version, such as v0.3.1"),
        (
            "v0.2.5",
            "v0.2.5 is lower than v0.3.0, which is published already",
            "take a higher version, such as v0.3.1",
        ),
    ],
)
def test_a_version_that_is_not_higher(version: str, words: str, fix: str) -> None:
    with pytest.raises(Problem) as raised:
        release.check_order(parse(version), "v0.2.0", (parse("v0.3.0"), parse("v0.1.0")))
    assert (raised.value.what, raised.value.fix) == (words, fix)


def test_a_higher_version_is_fine() -> None:
    release.check_order(parse("v0.3.1"), "v0.2.0", (parse("v0.3.0"),))
    release.check_order(Version(0, 0, 1), "none", ())


def test_a_report_alone_tells_of_the_migration() -> None:
    found = views.migration(Evidence(report=objects.report(NEW, "running", "x")))
    assert (found.version, found.state) == (NEW, "running")


def test_a_version_serves_when_every_backend_gives_it() -> None:
    backends = itertools.cycle([NEW, NEW, NEW, OLD])
    assert release.served(lambda: next(backends), NEW, 8) == OLD
    assert release.served(lambda: NEW, NEW, 8) == NEW
    assert release.served(lambda: "", NEW, 8) == ""
