"""eks-migration as a real process on a real PostgreSQL."""

from typing import Any

import pytest

pytestmark = pytest.mark.integration

HANG = "op.execute('CREATE TABLE half (id int)'); op.execute('SELECT pg_sleep(1000)')"


def _applied(database: Any) -> list[str]:
    return [row[0] for row in database.query("SELECT revision FROM schema_revisions ORDER BY revision")]


def _has_table(database: Any, name: str) -> bool:
    return bool(database.query(f"SELECT to_regclass('{name}') IS NOT NULL")[0][0])


def _busy_backends(database: Any) -> list[Any]:
    return list(
        database.query(
            "SELECT query FROM pg_stat_activity WHERE application_name LIKE 'eks-migration%'"
            " AND datname = current_database()"
        )
    )


def test_first_run_makes_the_schema_and_the_second_changes_nothing(database: Any, migrate: Any) -> None:
    first = migrate(database.credentials)
    assert first.wait() == 0
    assert first.said.endswith("the database is at 0001, 1 revision(s) applied\n")
    assert _applied(database) == ["0001"]
    second = migrate(database.credentials)
    assert second.wait() == 0
    assert second.said.endswith("the database is at 0001, nothing to do\n")
    assert _applied(database) == ["0001"]


def test_waits_for_credentials_and_then_for_the_database(database: Any, migrate: Any, until: Any) -> None:
    (database.credentials / "password").unlink()
    (database.credentials / "host").unlink()
    job = migrate(database.credentials)
    until(lambda: "no credential host, password in" in job.said, f"words while waiting; {job.said}")
    database.write_credentials(port="1")
    until(lambda: "waiting for the database: connection failed" in job.said, f"words; {job.said}")
    database.write_credentials()
    assert job.wait() == 0


def test_wait_for_credentials_ends(database: Any, migrate: Any) -> None:
    (database.credentials / "dbname").unlink()
    job = migrate(database.credentials, MIGRATION_DATABASE_WAIT="1")
    assert job.wait() == 1
    last = job.said.splitlines()[-1]
    assert last.endswith(
        f"gave up waiting for the database after 1 s: no credential dbname in {database.credentials}"
    )


def test_wrong_password_ends_in_words_without_it(database: Any, migrate: Any) -> None:
    database.write_credentials(password="wr0ng pass")
    job = migrate(database.credentials, MIGRATION_DATABASE_WAIT="1")
    assert job.wait() == 1
    assert "password authentication failed" in job.said.splitlines()[-1]
    assert "wr0ng" not in job.said


def test_password_in_the_failure_of_a_revision_is_hidden(
    database: Any, migrate: Any, image_source: Any
) -> None:
    source = image_source("leak", {"0002": f"raise RuntimeError('with {database.password}')"})
    job = migrate(database.credentials, source)
    assert job.wait() == 1
    assert job.said.splitlines()[-1].endswith("is rolled back: RuntimeError: with ***")
    assert database.password not in job.said


def test_two_migrations_take_turns(database: Any, migrate: Any, image_source: Any, until: Any) -> None:
    source = image_source("gated", {"0002": "op.execute('SELECT pg_advisory_xact_lock(1)')"})
    with database.connect() as gate:
        gate.execute("SELECT pg_advisory_lock(1)")
        first = migrate(database.credentials, source, MIGRATION_LOCK_TIMEOUT="60")
        until(lambda: "applying 0002" in first.said, "the first is at work")
        second = migrate(database.credentials, source)
        words = "waiting for the migration lock: held by 'eks-migration v1.2.3' (backend"
        until(lambda: words in second.said, f"the second waits; {second.said}")
    assert (first.wait(), second.wait()) == (0, 0)
    assert second.said.endswith("the database is at 0002, nothing to do\n")
    assert _applied(database) == ["0001", "0002"]


def test_wait_for_the_turn_ends(database: Any, migrate: Any) -> None:
    with database.connect() as admin:
        admin.execute("SELECT pg_advisory_lock(32488822435963257)")
        job = migrate(database.credentials, MIGRATION_TURN_WAIT="1")
        assert job.wait() == 1
    assert "gave up waiting for the migration lock after 1 s: held by" in job.said.splitlines()[-1]
    assert not _has_table(database, "entries")


def test_table_in_use_is_tried_again(database: Any, migrate: Any, image_source: Any, until: Any) -> None:
    assert migrate(database.credentials).wait() == 0
    source = image_source("v2", {"0002": "op.execute('ALTER TABLE entries ADD COLUMN note text')"})
    with database.connect() as admin, admin.transaction():
        admin.execute("SELECT * FROM entries")
        job = migrate(database.credentials, source, MIGRATION_LOCK_TIMEOUT="0.2")
        until(lambda: "lock timeout in 0002" in job.said, f"a failed try; {job.said}")
    assert job.wait() == 0
    assert "applying 0002, test 0002 (try 2 of 6)" in job.said
    assert _applied(database) == ["0001", "0002"]


def test_table_in_use_for_ever_ends_and_leaves_the_schema(
    database: Any, migrate: Any, image_source: Any
) -> None:
    assert migrate(database.credentials).wait() == 0
    source = image_source(
        "v2", {"0002": "op.execute('CREATE TABLE half (id int)'); op.execute('LOCK TABLE entries')"}
    )
    with database.connect() as admin, admin.transaction():
        admin.execute("SELECT * FROM entries")
        job = migrate(database.credentials, source, MIGRATION_LOCK_TIMEOUT="0.2", MIGRATION_LOCK_TRIES="2")
        assert job.wait() == 1
    assert job.said.splitlines()[-1].endswith(
        "revision 0002 failed and is rolled back: canceling statement due to lock timeout"
    )
    assert not _has_table(database, "half")
    assert _applied(database) == ["0001"]


def test_slow_statement_is_cancelled(database: Any, migrate: Any, image_source: Any) -> None:
    source = image_source("slow", {"0002": "op.execute('SELECT pg_sleep(1000)')"})
    job = migrate(database.credentials, source, MIGRATION_STATEMENT_TIMEOUT="1")
    assert job.wait() == 1
    assert job.said.splitlines()[-1].endswith("canceling statement due to statement timeout")


def test_failing_revision_leaves_the_schema_at_the_last_good_one(
    database: Any, migrate: Any, image_source: Any
) -> None:
    source = image_source(
        "bad",
        {
            "0002": "op.execute('CREATE TABLE good (id int)')",
            "0003": "op.execute('CREATE TABLE half (id int)'); op.execute('SELECT nothing FROM nowhere')",
        },
    )
    job = migrate(database.credentials, source)
    assert job.wait() == 1
    assert 'revision 0003 failed and is rolled back: relation "nowhere" does not exist' in job.said
    assert _applied(database) == ["0001", "0002"]
    assert (_has_table(database, "good"), _has_table(database, "half")) == (True, False)
    repaired = image_source(
        "repaired",
        {
            "0002": "op.execute('CREATE TABLE good (id int)')",
            "0003": "op.execute('CREATE TABLE whole (id int)')",
        },
    )
    again = migrate(database.credentials, repaired)
    assert again.wait() == 0
    assert _applied(database) == ["0001", "0002", "0003"]


@pytest.mark.parametrize("body", [HANG, "time.sleep(1000)"], ids=["in a statement", "in Python"])
def test_hanging_revision_ends_with_words_and_frees_its_locks(
    database: Any, migrate: Any, image_source: Any, cluster_api: Any, until: Any, body: str
) -> None:
    source = image_source("hang", {"0002": body})
    job = migrate(database.credentials, source, MIGRATION_DEADLINE="5", **cluster_api.env)
    assert job.wait() == 1
    words = "not done after 5 s, given up during: applying 0002, test 0002"
    assert job.said.splitlines()[-1].endswith(words)
    report = cluster_api.data
    assert (report["state"], report["revision"]) == ("failed", "0001")
    assert report["message"].endswith(words)
    until(lambda: not _busy_backends(database), "the backend is gone")
    assert not _has_table(database, "half")
    assert migrate(database.credentials).wait() == 0


def test_sigterm_is_reported(
    database: Any, migrate: Any, image_source: Any, cluster_api: Any, until: Any
) -> None:
    job = migrate(database.credentials, image_source("hang", {"0002": HANG}), **cluster_api.env)
    until(lambda: "applying 0002" in cluster_api.data.get("message", ""), "the report says what runs")
    assert cluster_api.data["state"] == "running"
    job.terminate()
    assert job.wait() == 143
    report = cluster_api.data
    assert report["state"] == "terminated"
    assert report["message"].endswith("terminated from outside during: applying 0002, test 0002")
    assert report["finishedAt"] >= report["startedAt"]
    assert _applied(database) == ["0001"]


def test_killed_migration_does_not_keep_its_locks(
    database: Any, migrate: Any, image_source: Any, until: Any
) -> None:
    job = migrate(database.credentials, image_source("hang", {"0002": HANG}))
    until(lambda: "applying 0002" in job.said, "the migration hangs")
    until(lambda: any("pg_sleep" in row[0] for row in _busy_backends(database)), "in its statement")
    job.popen.kill()
    until(lambda: not _busy_backends(database), "the backend notices")
    assert migrate(database.credentials).wait() == 0


def test_rollback_to_an_older_image_succeeds(database: Any, migrate: Any, image_source: Any) -> None:
    newer = image_source("v2", {"0002": "op.execute('ALTER TABLE entries ADD COLUMN note text')"})
    assert migrate(database.credentials, newer).wait() == 0
    older = migrate(database.credentials)
    assert older.wait() == 0
    assert older.said.endswith(
        "the database is ahead at 0002; this image needs 0001, which is applied: nothing to do\n"
    )
    assert _applied(database) == ["0001", "0002"]


def test_image_of_another_history_is_refused(database: Any, migrate: Any, image_source: Any) -> None:
    assert migrate(database.credentials, image_source("a", {"000a": "pass"})).wait() == 0
    other = migrate(database.credentials, image_source("b", {"000b": "pass"}))
    assert other.wait() == 1
    assert (
        "the database is at 000a, which this image does not know, and 000b, which this image needs,"
        " was never applied" in other.said.splitlines()[-1]
    )
    assert _applied(database) == ["0001", "000a"]


def test_report_of_a_good_run(database: Any, migrate: Any, cluster_api: Any) -> None:
    cluster_api.data = {"finishedAt": "of the run before", "state": "failed"}
    repository = "https://github.com/acme/slipway.git"
    job = migrate(database.credentials, **cluster_api.env, REPOSITORY_URL=repository)
    assert job.wait() == 0
    first, last = cluster_api.patches[0], cluster_api.data
    assert (first["state"], first["finishedAt"]) == ("running", None)
    assert last["state"] == "succeeded"
    assert last["revision"] == "0001"
    assert last["version"] == "v1.2.3"
    assert last["message"].endswith("the database is at 0001, 1 revision(s) applied")
    assert set(last) == {"version", "state", "message", "revision", "startedAt", "finishedAt"}
    assert cluster_api.marks == [
        {
            "slipway.dev/migration-state": "succeeded",
            "link.argocd.argoproj.io/migration": "migration v1.2.3 succeeded|https://github.com/acme/slipway/tree/v1.2.3",
        }
    ]
    assert cluster_api.refused == []


def test_silent_api_server_delays_nothing(database: Any, migrate: Any, cluster_api: Any, until: Any) -> None:
    cluster_api.silent = True
    job = migrate(database.credentials, **cluster_api.env)
    until(lambda: _has_table(database, "schema_revisions") and _applied(database) == ["0001"], "applied")
    assert "report not sent" not in job.said
    assert job.wait() == 0
    assert "report not sent: " in job.said
