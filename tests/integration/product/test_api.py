"""The API on a real PostgreSQL."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.integration


@pytest.fixture
def migrated(database: Any, migrate: Any) -> Any:
    """A database at this source's schema."""
    job = migrate(database.credentials)
    assert job.wait() == 0, job.said
    return database


def test_entry_is_stored_once_per_key(migrated: Any, start_app: Any) -> None:
    app = start_app(migrated.credentials)
    first = app.add("k1", "coffee", 350)
    again = app.add("k1", "coffee", 350)
    other = app.add("k1", "coffee", 351)
    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 422)
    assert first.json() == again.json()
    assert set(first.json()) == {"id", "description", "amount", "created_at"}
    assert other.json() == {"error": "this Idempotency-Key was used for another entry"}
    assert app.get("/api/entries").json() == {"entries": [first.json()], "count": 1, "sum": 350}


def test_entries_are_listed_newest_first_with_totals_of_all(migrated: Any, start_app: Any) -> None:
    app = start_app(migrated.credentials)
    for number in range(5):
        app.add(f"k{number}", f"entry {number}", (-1) ** number * 100)
    page = app.get("/api/entries?limit=2").json()
    assert [entry["description"] for entry in page["entries"]] == ["entry 4", "entry 3"]
    assert (page["count"], page["sum"]) == (5, 100)


def test_empty_ledger(migrated: Any, start_app: Any) -> None:
    app = start_app(migrated.credentials)
    assert app.get("/api/entries").json() == {"entries": [], "count": 0, "sum": 0}


def test_concurrent_duplicates_in_two_pods_make_one_entry(migrated: Any, start_app: Any) -> None:
    pods = [start_app(migrated.credentials), start_app(migrated.credentials)]
    for _ in range(5):
        key = uuid.uuid4().hex
        with ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda pod, key: pod.add(key), pods * 16, [key] * 32))
        assert sorted(answer.status_code for answer in answers) == [200] * 31 + [201]
        assert len({answer.json()["id"] for answer in answers}) == 1
    assert migrated.query("SELECT count(*) FROM entries") == [(5,)]


@pytest.mark.parametrize(
    ("headers", "body", "status", "error"),
    [
        ({}, b'{"description": "x", "amount": 1}', 400, "header Idempotency-Key is missing"),
        ({"Idempotency-Key": "k"}, b"{", 400, "the body is not JSON"),
        (
            {"Idempotency-Key": "k"},
            b'{"description": "\\u0000", "amount": 1}',
            400,
            "description must be readable text",
        ),
        ({"Idempotency-Key": "k"}, b'"' + b"x" * 20000 + b'"', 413, "the body is larger than 16384 bytes"),
    ],
)
def test_bad_request_is_refused_in_words(
    migrated: Any, start_app: Any, headers: dict[str, str], body: bytes, status: int, error: str
) -> None:
    app = start_app(migrated.credentials)
    answer = app.client.post(f"{app.url}/api/entries", headers=headers, content=body)
    assert (answer.status_code, answer.json()) == (status, {"error": error})
    assert migrated.query("SELECT count(*) FROM entries") == [(0,)]


def test_unknown_path_and_method_answer_json(migrated: Any, start_app: Any) -> None:
    app = start_app(migrated.credentials)
    missing = app.get("/api/nothing")
    wrong = app.client.delete(f"{app.url}/api/entries")
    assert (missing.status_code, missing.json()) == (404, {"error": "Not Found"})
    assert (wrong.status_code, wrong.json()) == (405, {"error": "Method Not Allowed"})


def test_version_tells_what_runs_and_what_the_database_has(migrated: Any, start_app: Any) -> None:
    app = start_app(migrated.credentials)
    assert app.get("/api/version").json() == {
        "version": "v1.2.3",
        "revision": "abc123",
        "schema_head": "0001",
        "schema_live": "0001",
    }


def test_log_has_a_line_per_request_and_no_secret(migrated: Any, start_app: Any) -> None:
    app = start_app(migrated.credentials)
    answer = app.client.post(
        f"{app.url}/api/entries?token=hidden",
        headers={"Idempotency-Key": "private-key", "X-Request-Id": "from-nginx"},
        json={"description": "private text", "amount": 1},
    )
    assert answer.headers["X-Request-Id"] == "from-nginx"
    (line,) = app.requests()
    assert {name: line[name] for name in ("method", "path", "status", "request_id", "level")} == {
        "method": "POST",
        "path": "/api/entries",
        "status": 201,
        "request_id": "from-nginx",
        "level": "info",
    }
    assert line["ms"] > 0
    for secret in (migrated.password, "private", "hidden"):
        assert secret not in app.said


def test_missing_setting_is_two_lines(start: Any, tmp_path: Path) -> None:
    source = Path(__file__).resolve().parents[3] / "app"
    process = start("ledger", source, {"VERSION": "v1.2.3", "REVISION": "abc", "SCHEMA_HEAD": ""})
    assert process.wait() == 1
    assert process.said == (
        "error: SCHEMA_HEAD is not set\n  fix: set it in the image or in the pod's environment\n"
    )
