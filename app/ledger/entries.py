"""An entry of the ledger, and what a client must send to make one."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

LONGEST_DESCRIPTION = 200
LARGEST_AMOUNT = 100_000_000_000
"""In cents, both ways. Sums of a ledger stay far below 2**53, which JSON numbers can carry."""

_KEY = re.compile(r"[\x21-\x7e]{1,200}")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class Refused(Exception):
    """The client's request cannot be taken; the message is for the client."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Draft:
    """What a client asks for; `amount` is in cents."""

    description: str
    amount: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A stored entry."""

    id: int
    description: str
    amount: int
    created_at: datetime

    def matches(self, draft: Draft) -> bool:
        """Tell whether this entry is what `draft` asks for."""
        return (self.description, self.amount) == (draft.description, draft.amount)

    def as_json(self) -> dict[str, Any]:
        """Return the entry as the API shows it; times are UTC."""
        return {
            "id": self.id,
            "description": self.description,
            "amount": self.amount,
            "created_at": self.created_at.astimezone(UTC).isoformat(),
        }


def draft(body: bytes) -> Draft:
    """Parse the body of a POST; raise Refused with the field that is wrong."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused("the body is not JSON") from None
    if not isinstance(data, dict):
        raise Refused("the body is not a JSON object")
    if unknown := sorted(data.keys() - {"description", "amount"}):
        raise Refused(f"unknown field '{unknown[0][:50]}'")
    return Draft(_description(data.get("description")), _amount(data.get("amount")))


def idempotency_key(value: str | None) -> str:
    """Check the header Idempotency-Key."""
    if value is None:
        raise Refused("header Idempotency-Key is missing")
    if not _KEY.fullmatch(value):
        raise Refused("header Idempotency-Key must be 1 to 200 printable ASCII characters without spaces")
    return value


def limit(value: str | None) -> int:
    """Check the query parameter `limit`."""
    if value is None:
        return 50
    if not re.fullmatch(r"[0-9]{1,3}", value) or not 1 <= int(value) <= 500:
        raise Refused("limit must be a number from 1 to 500")
    return int(value)


def _description(value: object) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= LONGEST_DESCRIPTION:
        raise Refused(f"description must be text of 1 to {LONGEST_DESCRIPTION} characters")
    if not value.strip() or _UNSTORABLE.search(value):
        raise Refused("description must be readable text")
    return value


def _amount(value: object) -> int:
    # bool is an int in Python, but `true` is no amount.
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > LARGEST_AMOUNT:
        raise Refused(f"amount must be a whole number of cents, at most {LARGEST_AMOUNT} either way")
    return value
