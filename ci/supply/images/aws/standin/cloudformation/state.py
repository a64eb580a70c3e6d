"""What the engine remembers: stacks, their resources and events, and change sets."""

import hashlib
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from .template import Template

Clock = Callable[[], datetime]
TICK = timedelta(milliseconds=1)


def now() -> datetime:
    """Return the time; a replayed journal may bring a clock of its own."""
    return datetime.now(UTC)


def identity(*parts: object) -> str:
    """Return a UUID made of `parts`, so that a replayed journal gives the same ids."""
    digest = hashlib.sha256("\n".join(map(str, parts)).encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))


@dataclass(slots=True)
class Made:
    """A resource that exists. `properties` are resolved, dynamic references kept as references."""

    logical: str
    type: str
    physical: str
    properties: dict[str, Any]
    status: str
    changed: datetime
    deletion_policy: str
    replace_policy: str
    metadata: Any
    needs: frozenset[str]
    reason: str | None = None
    drift: dict[str, Any] | None = None

    @property
    def whole(self) -> bool:
        """Whether it came to be; one whose creation failed without a rollback did not."""
        return bool(self.physical) and self.status != "CREATE_FAILED"


@dataclass(frozen=True, slots=True)
class Event:
    """One transition of a stack or of one of its resources."""

    id: str
    time: datetime
    logical: str
    type: str
    physical: str
    status: str
    reason: str | None
    properties: dict[str, Any] | None


@dataclass(slots=True)
class ChangeSet:
    """A plan that was asked for; `changes` have DescribeChangeSet's shape."""

    id: str
    name: str
    kind: str
    created: datetime
    template: Template
    parameters: dict[str, str]
    tags: dict[str, str]
    capabilities: list[str]
    on_failure: str
    description: str
    changes: list[dict[str, Any]]
    status: str
    reason: str | None
    execution: str


@dataclass(slots=True)
class Stack:
    """A stack, deleted ones too."""

    id: str
    name: str
    account: str
    region: str
    created: datetime
    status: str
    reason: str | None = None
    updated: datetime | None = None
    deleted: datetime | None = None
    template: Template | None = None
    parameters: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    capabilities: list[str] = field(default_factory=list)
    disable_rollback: bool = False
    protected: bool = False
    resources: dict[str, Made] = field(default_factory=dict)
    outputs: list[dict[str, Any]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    change_sets: dict[str, ChangeSet] = field(default_factory=dict)
    serials: dict[str, int] = field(default_factory=dict)
    pending: Any = None
    """The deployment whose rollback failed, for ContinueUpdateRollback."""
    superseded: list[tuple[Made, str]] = field(default_factory=list)
    """What an update replaced before it failed without a rollback, and the policy for it; the next one deletes it."""
    drift: tuple[str, datetime, str] | None = None
    """Result, time and, if it failed, reason of the last drift detection."""

    def note(
        self,
        clock: Clock,
        status: str,
        reason: str | None = None,
        made: Made | None = None,
        properties: dict[str, Any] | None = None,
    ) -> None:
        """Record a transition of `made`, or of the stack itself."""
        # Always later than the one before, also where a journal's clock stands still.
        time = max([clock(), *(event.time + TICK for event in self.events[-1:])])
        if made is None:
            self.status, self.reason = status, reason
        else:
            made.status, made.reason, made.changed = status, reason, time
        self.events.append(
            Event(
                id=identity(self.id, "event", len(self.events)),
                time=time,
                logical=made.logical if made else self.name,
                type=made.type if made else "AWS::CloudFormation::Stack",
                physical=made.physical if made else self.id,
                status=status,
                reason=reason,
                properties=properties,
            )
        )

    def serial(self, logical: str) -> int:
        """Count how often `logical` was made, for names that no two generations share."""
        self.serials[logical] = self.serials.get(logical, 0) + 1
        return self.serials[logical]


def tags(entries: Sequence[dict[str, str]]) -> dict[str, str]:
    """Turn the API's list of tags into a mapping."""
    return {entry["Key"]: entry["Value"] for entry in entries}
