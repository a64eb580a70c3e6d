"""The app's life: started before its database, ready, rotated, stopped."""

import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from psycopg import sql

pytestmark = pytest.mark.integration


def _ready(app: Any) -> bool:
    return bool(app.get("/readyz").status_code == 200)


def test_starts_without_database_and_becomes_ready_when_it_comes(
    database: Any, start_app: Any, migrate: Any, until: Any
) -> None:
    shutil.rmtree(database.credentials)
    app = start_app(database.credentials)
    assert app.get("/healthz").json() == {"status": "ok"}
    answer = app.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"database": False, "schema": {"needs": "0001", "applied": []}}
    assert app.get("/api/version").json()["schema_live"] is None
    refused = app.add("k1")
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")

    database.write_credentials()
    assert migrate(database.credentials).wait() == 0
    until(lambda: _ready(app), f"ready; {app.said}")
    assert app.add("k1").status_code == 201


def test_ready_only_when_its_schema_is_applied_and_still_after_a_newer_one(
    database: Any, start_app: Any, migrate: Any, image_source: Any, until: Any
) -> None:
    app = start_app(database.credentials)
    answer = app.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"database": True, "schema": {"needs": "0001", "applied": []}}

    assert migrate(database.credentials).wait() == 0
    answer = app.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"database": True, "schema": {"needs": "0001", "applied": ["0001"]}}

    newer = start_app(database.credentials, SCHEMA_HEAD="0002", VERSION="v1.3.0")
    assert newer.get("/readyz").status_code == 503
    source = image_source("v2", {"0002": "op.execute('ALTER TABLE entries ADD COLUMN note text')"})
    assert migrate(database.credentials, source).wait() == 0
    for pod in (app, newer):
        answer = pod.get("/readyz")
        assert (answer.status_code, answer.json()["schema"]["applied"]) == (200, ["0001", "0002"])
    assert app.add("k1").status_code == 201
    assert app.get("/api/version").json()["schema_live"] == "0002"


def test_rotated_password_needs_no_restart(database: Any, start_app: Any, migrate: Any, until: Any) -> None:
    assert migrate(database.credentials).wait() == 0
    app = start_app(database.credentials)
    assert app.add("before").status_code == 201

    rename = sql.SQL("ALTER ROLE {} PASSWORD 'rotated'").format(sql.Identifier(database.username))
    with database.connect() as admin:
        admin.execute(rename)
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", (database.username,)
        )
    until(lambda: app.get("/readyz").status_code == 503, "not ready with the old password")

    database.write_credentials(password="rotated")
    until(lambda: _ready(app), "ready with the new password")
    assert app.add("after").status_code == 201
    assert database.password not in app.said
    assert "rotated" not in app.said


def test_rotation_under_load_fails_no_request_and_replaces_every_connection(
    database: Any, start_app: Any, migrate: Any, until: Any
) -> None:
    """The order of a rotation: the database first, the files later, and requests all the time."""
    assert migrate(database.credentials).wait() == 0
    app = start_app(database.credentials, POOL_SIZE="3")
    rotate = sql.SQL("ALTER ROLE {} PASSWORD 'rotated'").format(sql.Identifier(database.username))
    stop, answers = threading.Event(), []

    def load(name: int) -> None:
        with httpx.Client(base_url=app.url, timeout=20) as client:
            number = 0
            while not stop.is_set():
                body = {"description": "under load", "amount": 1}
                headers = {"Idempotency-Key": f"{name}-{number}"}
                answers.append(client.post("/api/entries", headers=headers, json=body).status_code)
                answers.append(client.get("/readyz").status_code)
                number += 1

    with ThreadPoolExecutor(6) as pool:
        workers = [pool.submit(load, name) for name in range(6)]
        try:
            until(lambda: len(_backends(database)) >= 3, "the pool has grown")
            with database.connect() as admin:
                admin.execute(rotate)
            old = _backends(database)
            time.sleep(5)  # files of a mounted Secret follow within a minute or two
            assert _backends(database) == old, "the old connections serve"
            database.write_credentials(password="rotated")
            until(lambda: not _backends(database) & old, "no connection of the old password is left")
            time.sleep(1)
        finally:
            stop.set()
        assert [worker.result() for worker in workers] == [None] * 6
    assert set(answers) == {201, 200}
    assert len(answers) > 200
    assert app.said.count("credentials changed") == 1
    assert database.password not in app.said
    assert "rotated" not in app.said


def test_files_that_do_not_work_yet_cost_no_connection(
    database: Any, start_app: Any, migrate: Any, until: Any
) -> None:
    """The other order: the files first."""
    assert migrate(database.credentials).wait() == 0
    app = start_app(database.credentials)
    assert app.add("before").status_code == 201
    old = _backends(database)
    database.write_credentials(password="early")
    time.sleep(5)
    assert app.add("between").status_code == 201
    assert _backends(database) >= old
    with database.connect() as admin:
        early = sql.SQL("ALTER ROLE {} PASSWORD 'early'").format(sql.Identifier(database.username))
        admin.execute(early)
    until(lambda: not _backends(database) & old, "no connection of the old password is left")
    assert app.add("after").status_code == 201


def test_lost_connections_are_replaced_before_use(
    database: Any, start_app: Any, migrate: Any, until: Any
) -> None:
    assert migrate(database.credentials).wait() == 0
    app = start_app(database.credentials)
    assert app.add("before").status_code == 201
    with database.connect() as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", (database.username,)
        )
    assert app.add("after").status_code == 201


def test_busy_pool_leaves_the_pod_ready(database: Any, start_app: Any, migrate: Any, until: Any) -> None:
    assert migrate(database.credentials).wait() == 0
    app = start_app(database.credentials, POOL_SIZE="2")
    with database.connect() as admin, ThreadPoolExecutor(4) as pool:
        with admin.transaction():
            admin.execute("LOCK TABLE entries")
            answers = [pool.submit(app.add, f"k{number}") for number in range(4)]
            until(lambda: _waiting(database) == 2, "both connections wait for the table")
            assert app.get("/readyz").status_code == 200
        assert [answer.result().status_code for answer in answers] == [201] * 4


def test_sigterm_finishes_the_request_in_flight(
    database: Any, start_app: Any, migrate: Any, until: Any
) -> None:
    assert migrate(database.credentials).wait() == 0
    app = start_app(database.credentials, DRAIN_SECONDS="0.3")
    with database.connect() as admin, ThreadPoolExecutor(1) as pool:
        with admin.transaction():
            admin.execute("LOCK TABLE entries")
            answer = pool.submit(httpx.post, f"{app.url}/api/entries", headers={"Idempotency-Key": "k"},
                                 json={"description": "in flight", "amount": 1}, timeout=20)  # fmt: skip
            until(lambda: _waiting(database) == 1, "the insert waits for the table")
            app.terminate()
            until(lambda: _refuses(app), "the listener closes")
            # Longer than it would take to be cut off.
            time.sleep(1.5)
            assert app.popen.poll() is None
        assert answer.result().status_code == 201
    assert app.wait() == 0
    assert database.query("SELECT description FROM entries") == [("in flight",)]


def test_sigterm_first_drains(database: Any, start_app: Any, migrate: Any, until: Any) -> None:
    assert migrate(database.credentials).wait() == 0
    app = start_app(database.credentials, DRAIN_SECONDS="3")
    assert app.get("/readyz").status_code == 200
    app.terminate()
    until(lambda: app.get("/readyz").status_code == 503, "not ready")
    assert app.add("late").status_code == 201
    assert app.wait() == 0
    assert '"message": "stopped"' in app.said


def _waiting(database: Any) -> int:
    rows = database.query(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%INSERT INTO entries%'"
        " AND datname = current_database()"
    )
    return int(rows[0][0])


def _backends(database: Any) -> set[int]:
    """The server's processes for connections of the app."""
    rows = database.query(
        "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'eks-app%' AND datname = current_database()"
    )
    return {int(row[0]) for row in rows}


def _refuses(app: Any) -> bool:
    try:
        httpx.get(f"{app.url}/healthz", timeout=1)
    except httpx.TransportError:
        return True
    return False
