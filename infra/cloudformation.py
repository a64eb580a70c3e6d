"""The door to CloudFormation: a stack's state, change sets, and a stack's events, as plain data."""

import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ci.problem import Problem
from infra.stacks import Stack

_NOTHING = ("didn't contain changes", "no updates are to be performed")
_MADE = ("CREATE_COMPLETE", "FAILED")
_CHANGE_SET_SECONDS = 300
_ENDED = ("_COMPLETE", "_FAILED")
GONE = "DELETE_COMPLETE"


@dataclass(frozen=True, slots=True)
class Pace:
    """How often to look while waiting, in seconds; tests bring a faster one."""

    every: float = 3.0
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.monotonic


PACE = Pace()


@dataclass(frozen=True, slots=True)
class State:
    """A stack as CloudFormation has it."""

    name: str
    id: str
    status: str
    reason: str
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]
    tags: Mapping[str, str]
    protected: bool

    @property
    def busy(self) -> bool:
        """Whether CloudFormation works on it; a stack under REVIEW only waits for its first change set."""
        return not self.status.endswith(_ENDED) and not self.unborn

    @property
    def unborn(self) -> bool:
        """Whether it was announced by a change set and never made."""
        return self.status == "REVIEW_IN_PROGRESS"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a resource, in UTC; with the stack's own name, it is the stack's."""

    id: str
    time: datetime
    stack: str
    resource: str
    type: str
    status: str
    reason: str = ""
    physical: str = ""

    @property
    def about_stack(self) -> bool:
        """Whether it tells the state of the whole stack."""
        return self.type == "AWS::CloudFormation::Stack" and self.resource == self.stack

    @property
    def failure(self) -> bool:
        """Whether it tells a cause; what was cancelled because of another failure tells none."""
        return self.status.endswith("_FAILED") and "cancelled" not in self.reason.lower()


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """A change set that can be executed, and what it would do, as CloudFormation words it."""

    id: str
    stack: str
    changes: Sequence[Mapping[str, Any]]


def find(client: Any, name: str) -> State | None:
    """Return the state of the stack `name` (or of a stack's id), None where there is none."""
    try:
        found = client.describe_stacks(StackName=name)["Stacks"][0]
    except client.exceptions.ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    if found["StackStatus"] == GONE:
        return None
    return State(
        name=found["StackName"],
        id=found["StackId"],
        status=found["StackStatus"],
        reason=found.get("StackStatusReason", ""),
        outputs={item["OutputKey"]: item["OutputValue"] for item in found.get("Outputs", ())},
        parameters={item["ParameterKey"]: item["ParameterValue"] for item in found.get("Parameters", ())},
        tags={item["Key"]: item["Value"] for item in found.get("Tags", ())},
        protected=bool(found.get("EnableTerminationProtection")),
    )


def template(client: Any, name: str) -> str:
    """Return the deployed template as it was given."""
    body = client.get_template(StackName=name, TemplateStage="Original")["TemplateBody"]
    return body if isinstance(body, str) else ""


def propose(client: Any, stack: Stack, values: Mapping[str, str], new: bool, pace: Pace) -> ChangeSet | None:
    """Make a change set and wait for it; None where it would change nothing."""
    return _change_set(
        client,
        pace,
        StackName=stack.name,
        ChangeSetType="CREATE" if new else "UPDATE",
        TemplateBody=stack.template,
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()],
        Tags=[{"Key": key, "Value": value} for key, value in stack.tags.items()],
    )


def propose_values(client: Any, state: State, values: Mapping[str, str], pace: Pace) -> ChangeSet | None:
    """Make a change set that only gives other values to some parameters of a stack as it is deployed."""
    return _change_set(
        client,
        pace,
        StackName=state.name,
        ChangeSetType="UPDATE",
        UsePreviousTemplate=True,
        Parameters=[
            {"ParameterKey": key, "ParameterValue": values[key]}
            if key in values
            else {"ParameterKey": key, "UsePreviousValue": True}
            for key in state.parameters
        ],
    )


def _change_set(client: Any, pace: Pace, **request: Any) -> ChangeSet | None:
    name = request["StackName"]
    made = client.create_change_set(
        ChangeSetName=f"slipway-{uuid.uuid4().hex}", Capabilities=["CAPABILITY_NAMED_IAM"], **request
    )
    end = pace.now() + _CHANGE_SET_SECONDS
    while (found := client.describe_change_set(ChangeSetName=made["Id"]))["Status"] not in _MADE:
        if pace.now() > end:
            raise Problem(
                f"stack {name}: no change set within {_CHANGE_SET_SECONDS} s; last state: {found['Status']}",
                fix="run the same command again",
            )
        pace.sleep(pace.every)
    if found["Status"] == "FAILED":
        discard(client, made["Id"])
        reason = " ".join(found.get("StatusReason", "no reason given").split())
        if any(words in reason.lower() for words in _NOTHING):
            return None
        raise Problem(f"stack {name} cannot be planned: {reason}", fix="correct it, then run it again")
    changes = list(found.get("Changes", ()))
    while token := found.get("NextToken"):
        found = client.describe_change_set(ChangeSetName=made["Id"], NextToken=token)
        changes += found.get("Changes", ())
    return ChangeSet(made["Id"], name, [change.get("ResourceChange", {}) for change in changes])


def discard(client: Any, change_set: str) -> None:
    """Delete a change set by its id."""
    client.delete_change_set(ChangeSetName=change_set)


def newest(client: Any, stack: str) -> str:
    """Return the id of the stack's newest event, '' where there is none."""
    events = client.describe_stack_events(StackName=stack)["StackEvents"]
    return events[0]["EventId"] if events else ""


def events(client: Any, stack: str, after: str) -> list[Event]:
    """Return the events after the one with the id `after`, the oldest first."""
    found: list[Event] = []
    for page in client.get_paginator("describe_stack_events").paginate(StackName=stack):
        for item in page["StackEvents"]:
            if item["EventId"] == after:
                return found[::-1]
            found.append(_event(item))
    return found[::-1]


def follow(
    client: Any, stack: str, after: str, seconds: float, pace: Pace, asked: bool = False
) -> Iterator[Event]:
    """Yield a stack's events from `after` on, until the stack itself has come to rest.

    `stack` is an id where the stack is being deleted: its name is forgotten at the end. Where something was just
    `asked` of it, its first event is awaited for up to 30 s: until then it may show the state it had before.
    Raise Problem when `seconds` have passed; CloudFormation then goes on by itself.
    """
    began = pace.now()
    last = after
    while True:
        state = find(client, stack)
        for event in events(client, stack, last):
            last = event.id
            yield event
        started = not asked or last != after or pace.now() > began + 30
        if state is None or (started and not state.busy):
            return
        if pace.now() > began + seconds:
            raise Problem(
                f"stack {state.name} is still {state.status} after {seconds / 60:.0f} min",
                fix="it goes on in AWS; the same command picks it up where it is",
            )
        pace.sleep(pace.every)


def _event(item: Mapping[str, Any]) -> Event:
    return Event(
        id=item["EventId"],
        time=item.get("Timestamp") or datetime.now(UTC),
        stack=item["StackName"],
        resource=item.get("LogicalResourceId", ""),
        type=item.get("ResourceType", ""),
        status=item.get("ResourceStatus", ""),
        reason=item.get("ResourceStatusReason", ""),
        physical=item.get("PhysicalResourceId", ""),
    )
