import json
import logging
import sys
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from ledger import logs


def test_line_is_json_with_the_fields() -> None:
    record = logging.LogRecord("ledger", logging.INFO, "", 1, "request %s", ("x",), None)
    record.fields = {"status": 200}
    line = json.loads(logs.JsonLines().format(record))
    assert line.pop("time").endswith("+00:00")
    assert line == {"level": "info", "logger": "ledger", "message": "request x", "status": 200}


def test_exception_stays_on_one_line() -> None:
    try:
        raise ValueError("odd")
    except ValueError:
        record = logging.LogRecord("ledger", logging.ERROR, "", 1, "fault", (), sys.exc_info())
    text = logs.JsonLines().format(record)
    assert "\n" not in text
    assert json.loads(text)["exception"].endswith("ValueError: odd")


async def _ask(
    path: str, status: int, request_id: bytes, caplog: pytest.LogCaptureFixture
) -> tuple[str, list[Any]]:
    """Send one request through the middleware; return the response's id and the logged fields."""
    sent: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": status, "headers": []})

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "GET", "path": path, "query_string": b"token=x",
        "headers": [(b"x-request-id", request_id)],
    }  # fmt: skip
    with caplog.at_level(logging.INFO, "ledger"):
        await logs.RequestLog(app)(scope, receive, send)
    return dict(sent[0]["headers"])[b"x-request-id"].decode(), [
        getattr(record, "fields", None) for record in caplog.records
    ]


async def test_request_is_logged_without_its_query(caplog: pytest.LogCaptureFixture) -> None:
    answered, (fields,) = await _ask("/api/entries", 200, b"id-1", caplog)
    assert fields.pop("ms") >= 0
    assert fields == {"method": "GET", "path": "/api/entries", "status": 200, "request_id": "id-1"}
    assert answered == "id-1"


@pytest.mark.parametrize("odd", [b"", b"a b", b'"}', b"x" * 65])
async def test_odd_request_id_is_replaced(odd: bytes, caplog: pytest.LogCaptureFixture) -> None:
    answered, (fields,) = await _ask("/api/entries", 200, odd, caplog)
    assert len(answered) == 32
    assert fields["request_id"] == answered


@pytest.mark.parametrize(("status", "lines"), [(200, 0), (503, 1)])
async def test_probe_is_logged_only_when_it_fails(
    status: int, lines: int, caplog: pytest.LogCaptureFixture
) -> None:
    _, logged = await _ask("/readyz", status, b"id-1", caplog)
    assert len(logged) == lines
