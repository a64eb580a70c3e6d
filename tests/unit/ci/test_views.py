from datetime import UTC, datetime

import pytest

from ci import views
from ci.views import Evidence, Migration
from tests.unit.ci import objects


def test_an_application_row() -> None:
    row = views.application(objects.application("Failed", "abc", "one task failed", hook="v0.2.0"))
    assert (row.name, row.sync, row.health) == ("main", "OutOfSync", "Healthy")
    assert (row.phase, row.revision, row.message) == ("Failed", "abc", "one task failed")
    assert row.hook_version == "v0.2.0"


def test_an_application_that_argo_cd_has_not_looked_at() -> None:
    row = views.application({"metadata": {"name": "root"}})
    assert (row.sync, row.health, row.phase) == ("Unknown", "Unknown", "")


def test_an_application_tells_why_it_cannot_be_compared() -> None:
    conditions = [{"type": "ComparisonError", "message": "no such path"}, {"type": "Other", "message": "x"}]
    row = views.application({"metadata": {"name": "main"}, "status": {"conditions": conditions}})
    assert row.message == "no such path"


def test_a_pod_row() -> None:
    row = views.pod(
        objects.pod("main-1", "v0.2.0", digests={"app": "sha256:a", "web": "sha256:b"}, restarts=2)
    )
    assert row.version == "v0.2.0"
    assert row.ready
    assert not row.leaving
    assert row.restarts == 4
    assert row.trouble == ""
    assert row.created == datetime(2026, 11, 24, 3, tzinfo=UTC)
    assert {name: found.digest for name, found in row.containers.items()} == {
        "app": "sha256:a",
        "web": "sha256:b",
    }


def test_a_pod_that_cannot_start_says_why() -> None:
    row = views.pod(objects.pod("main-1", "v0.2.0", ready=False, waiting="ImagePullBackOff"))
    assert row.trouble == "app: ImagePullBackOff why; web: ImagePullBackOff why"


def test_starting_is_no_trouble() -> None:
    assert views.pod(objects.pod("main-1", "v0.2.0", ready=False, waiting="ContainerCreating")).trouble == ""


@pytest.mark.parametrize(
    ("image", "tag"),
    [("r:5000/a/b:v1", "v1"), ("b:v1@sha256:0", "v1"), ("r:5000/a/b", ""), ("b@sha256:0", "")],
)
def test_the_tag_of_an_image(image: str, tag: str) -> None:
    assert views.tag(image) == tag


def test_the_report_is_believed_first() -> None:
    found = views.migration(
        Evidence(
            report=objects.report("v0.2.0", "failed", "column exists\n", "0001"),
            job=objects.job("v0.2.0", conditions=objects.failed("BackoffLimitExceeded", "too many")),
            logs="other words",
        )
    )
    assert found == Migration("v0.2.0", "failed", "column exists", "migration", "0001")


def test_a_report_outlives_job_and_pod() -> None:
    found = views.migration(Evidence(report=objects.report("v0.2.0", "terminated", "waiting for lock")))
    assert found == Migration("v0.2.0", "terminated", "waiting for lock", "migration", "")


def test_a_report_of_running_is_corrected_by_the_failed_job() -> None:
    conditions = objects.failed("DeadlineExceeded", "Job was active longer than specified deadline")
    found = views.migration(
        Evidence(
            report=objects.report("v0.2.0", "running", "step 0002: update entries"),
            job=objects.job("v0.2.0", conditions=conditions),
        )
    )
    assert found.state == "failed"
    assert found.words == (
        "step 0002: update entries (DeadlineExceeded: Job was active longer than specified deadline)"
    )


def test_a_predecessors_report_is_not_believed() -> None:
    stuck = objects.pod("migration-x", "v0.3.0", ready=False, waiting="ImagePullBackOff")
    found = views.migration(
        Evidence(
            report=objects.report("v0.2.0", "succeeded", "done", "0002"),
            job=objects.job("v0.3.0", active=1),
            pods=[stuck],
        )
    )
    assert (found.version, found.state, found.origin) == ("v0.3.0", "running", "the pod")
    assert found.words.startswith("app: ImagePullBackOff why")
    assert found.revision == "0002"


def test_logs_come_before_the_pods_trouble() -> None:
    stuck = objects.pod("migration-x", "v0.3.0", ready=False, waiting="CrashLoopBackOff")
    found = views.migration(
        Evidence(job=objects.job("v0.3.0", active=1), pods=[stuck], logs="ImportError: x\n")
    )
    assert (found.words, found.origin) == ("ImportError: x", "the pod's log")


def test_events_when_the_pod_is_gone() -> None:
    events = [
        {"type": "Warning", "reason": "DeadlineExceeded", "message": "too long", "lastTimestamp": "2"},
        {"type": "Normal", "reason": "Pulled", "message": "x", "lastTimestamp": "3"},
        {"type": "Warning", "reason": "Failed", "message": "no image", "lastTimestamp": "1"},
    ]
    conditions = objects.failed("DeadlineExceeded", "too long")
    found = views.migration(Evidence(job=objects.job("v0.3.0", conditions=conditions), events=events))
    assert (found.state, found.words, found.origin) == (
        "failed",
        "DeadlineExceeded: too long",
        "Kubernetes' events",
    )


def test_the_jobs_condition_when_nothing_else_is_left() -> None:
    conditions = objects.failed("DeadlineExceeded", "too long")
    found = views.migration(Evidence(job=objects.job("v0.3.0", conditions=conditions)))
    assert (found.words, found.origin) == ("DeadlineExceeded: too long", "the Job")


def test_argo_cds_words_when_the_job_is_gone() -> None:
    application = views.application(objects.application("Failed", "abc", "hook failed", hook="v0.3.0"))
    found = views.migration(
        Evidence(report=objects.report("v0.2.0", "succeeded", "done"), application=application)
    )
    assert (found.version, found.state, found.words, found.origin) == (
        "v0.3.0",
        "failed",
        "hook failed",
        "Argo CD",
    )


def test_a_job_that_succeeded_without_report() -> None:
    assert views.migration(Evidence(job=objects.job("v0.3.0", succeeded=1))).state == "succeeded"


def test_no_migration_yet() -> None:
    assert views.migration(Evidence()) == Migration()
