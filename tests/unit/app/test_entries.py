from datetime import UTC, datetime, timedelta, timezone

import pytest

from ledger import entries
from ledger.entries import Draft, Entry, Refused

TEXT = "description must be text of 1 to 200 characters"
AMOUNT = "amount must be a whole number of cents, at most 100000000000 either way"


@pytest.mark.parametrize(
    ("body", "draft"),
    [
        (b'{"description": "x", "amount": 0}', Draft("x", 0)),
        (b'{"amount": -100000000000, "description": " \xc3\xa9 "}', Draft(" é ", -100_000_000_000)),
        (b'{"description": "' + b"x" * 200 + b'", "amount": 100000000000}', Draft("x" * 200, 10**11)),
    ],
)
def test_good_body(body: bytes, draft: Draft) -> None:
    assert entries.draft(body) == draft


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "the body is not JSON"),
        (b"\xff", "the body is not JSON"),
        (b"[" * 100_000, "the body is not JSON"),
        (b"[]", "the body is not a JSON object"),
        (b'{"description": "x", "amount": 1, "id": 7}', "unknown field 'id'"),
        (b'{"amount": 1}', TEXT),
        (b'{"description": "", "amount": 1}', TEXT),
        (b'{"description": 5, "amount": 1}', TEXT),
        (b'{"description": "' + b"x" * 201 + b'", "amount": 1}', TEXT),
        (b'{"description": "  ", "amount": 1}', "description must be readable text"),
        (b'{"description": "a\\u0000", "amount": 1}', "description must be readable text"),
        (b'{"description": "\\ud800", "amount": 1}', "description must be readable text"),
        (b'{"description": "x"}', AMOUNT),
        (b'{"description": "x", "amount": true}', AMOUNT),
        (b'{"description": "x", "amount": 1.0}', AMOUNT),
        (b'{"description": "x", "amount": "1"}', AMOUNT),
        (b'{"description": "x", "amount": 100000000001}', AMOUNT),
        (b'{"description": "x", "amount": NaN}', AMOUNT),
    ],
)
def test_bad_body(body: bytes, words: str) -> None:
    with pytest.raises(Refused) as refused:
        entries.draft(body)
    assert (str(refused.value), refused.value.status) == (words, 400)


@pytest.mark.parametrize("value", [None, "", "a b", "é", "x" * 201])
def test_bad_key(value: str | None) -> None:
    with pytest.raises(Refused):
        entries.idempotency_key(value)


def test_good_key() -> None:
    assert entries.idempotency_key("x" * 200) == "x" * 200


@pytest.mark.parametrize("value", ["0", "501", "-1", "ten", "", "1e2", "٣"])
def test_bad_limit(value: str) -> None:
    with pytest.raises(Refused):
        entries.limit(value)


def test_good_limits() -> None:
    assert [entries.limit(value) for value in (None, "1", "500")] == [50, 1, 500]


def test_entry_is_shown_in_utc() -> None:
    moment = datetime(2026, 11, 24, 12, 0, tzinfo=timezone(timedelta(hours=9)))
    shown = Entry(7, "tea", 250, moment).as_json()
    assert shown == {
        "id": 7, "description": "tea", "amount": 250, "created_at": "2026-11-24T03:00:00+00:00",
    }  # fmt: skip


def test_entry_matches_only_the_same_content() -> None:
    entry = Entry(7, "tea", 250, datetime.now(UTC))
    assert [entry.matches(draft) for draft in (Draft("tea", 250), Draft("tea", 251), Draft("te", 250))] == [
        True, False, False,
    ]  # fmt: skip
