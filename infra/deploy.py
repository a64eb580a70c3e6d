"""Plan and apply the stacks, in the order of their dependencies. Clients are passed in; nothing is printed.

What is shown while it runs is yielded: `plan` gives a Planned per stack, `apply` events and a Done per stack.
Each can be killed anywhere and run again.
"""

from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ci.problem import Problem
from infra import cloudformation as cfn
from infra import template
from infra.changes import REMOVE, REPLACE, Row, rows
from infra.cloudformation import PACE, Event, Pace, State
from infra.stacks import Output, Stack

Outputs = Mapping[str, Mapping[str, str]]
"""Outputs by concern."""

AGAIN = "correct it, then run the same command again: it goes on from here"
_FAILED_BIRTHS = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED")
NEW, CHANGED, UNCHANGED = "new", "changed", "unchanged"


@dataclass(frozen=True, slots=True)
class Planned:
    """What `apply` would do with one stack: `state` is new, changed or unchanged; `note` is what it finds first."""

    stack: str
    state: str
    rows: tuple[Row, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """A stack is as it should be; `outcome` is created, updated or unchanged, `seconds` how long that took."""

    stack: str
    outcome: str
    seconds: float


def plan(stacks: Sequence[Stack], client: Any, pace: Pace = PACE) -> Iterator[Planned]:
    """Yield what each stack needs, from a change set that is made for it and deleted again.

    Outputs that do not exist yet, or that a replacement upstream will change, are placeholders, so that a
    whole first deployment is shown at once.
    """
    known: dict[str, dict[str, str]] = {}
    for stack in stacks:
        state = cfn.find(client, stack.name)
        values = _values(stack, known, guess=True)
        planned = _planned(stack, state, values, client, pace)
        known[stack.concern] = _foreseen(stack, state, planned)
        yield planned


def apply(
    stacks: Sequence[Stack],
    client: Any,
    pace: Pace = PACE,
    agreed: Collection[tuple[str, str]] | None = None,
) -> Iterator[Event | Done]:
    """Bring every stack to what it should be.

    `agreed` holds the keys of rows that may replace or remove something, as `plan` showed them; anything else
    that a change set would replace or remove ends the deployment before it begins. None agrees to all.
    """
    known: dict[str, Mapping[str, str]] = {}
    for stack in stacks:
        began = pace.now()
        yield from _settle(stack, client, pace)
        outcome = yield from _deploy(stack, _values(stack, known), client, pace, agreed)
        state = cfn.find(client, stack.name)
        if state is None:
            raise Problem(f"stack {stack.name} is gone", fix="run the same command again")
        if state.protected != stack.protected:
            client.update_termination_protection(
                StackName=stack.name, EnableTerminationProtection=stack.protected
            )
        known[stack.concern] = state.outputs
        yield Done(stack.name, outcome, pace.now() - began)


def outputs(stacks: Sequence[Stack], client: Any) -> Outputs:
    """Return the outputs of the stacks that exist, by concern."""
    states = {stack.concern: cfn.find(client, stack.name) for stack in stacks}
    return {concern: state.outputs for concern, state in states.items() if state and not state.unborn}


def _planned(
    stack: Stack, state: State | None, values: Mapping[str, str], client: Any, pace: Pace
) -> Planned:
    note = _first_step(state)
    if state is not None and note and state.status not in _FAILED_BIRTHS:
        return Planned(stack.name, CHANGED, note=note)
    if state is not None and not note and _same(stack, state, values, client):
        return Planned(stack.name, UNCHANGED)
    if state is not None and state.status in _FAILED_BIRTHS:
        # No change set can be made for what a failed creation left; all of it will be made anew.
        return Planned(stack.name, NEW, _all_of(stack, values), note)
    new = state is None or state.unborn
    proposed = cfn.propose(client, stack, values, new, pace)
    if proposed is None:
        return Planned(stack.name, UNCHANGED)
    cfn.discard(client, proposed.id)
    if new:
        _forget(stack.name, client)
    found = rows(stack.name, proposed.changes)
    return Planned(stack.name, NEW if new else CHANGED, found, "" if found else "tags or outputs only")


def _first_step(state: State | None) -> str:
    """What `apply` does before it can look for changes; '' where it need do nothing."""
    if state is None or state.unborn:
        return ""
    if state.busy:
        return f"{state.status}: waits for its end, then compares"
    if state.status in _FAILED_BIRTHS:
        return f"{state.status}: what is left of it is removed first"
    if state.status == "UPDATE_ROLLBACK_FAILED":
        return f"{state.status}: its rollback is continued, then compared"
    if state.status == "DELETE_FAILED":
        return f"{state.status}: infra.destroy has to finish first"
    return ""


def _all_of(stack: Stack, values: Mapping[str, str]) -> tuple[Row, ...]:
    found = template.resources(template.parse(stack.template), values)
    return rows(
        stack.name,
        [{"Action": "Add", "LogicalResourceId": name, "ResourceType": kind} for name, kind in found.items()],
    )


def _foreseen(stack: Stack, state: State | None, planned: Planned) -> dict[str, str]:
    """The outputs that later stacks may count on; what a replacement changes is missing."""
    if state is None or planned.state == NEW:
        return {}
    moving = {row.resource for row in planned.rows if row.action in (REPLACE, REMOVE)}
    told = template.parse(stack.template).get("Outputs", {})
    return {
        name: value
        for name, value in state.outputs.items()
        if not moving & set(template.references(told.get(name, {}).get("Value")))
    }


def _values(stack: Stack, known: Mapping[str, Mapping[str, str]], guess: bool = False) -> dict[str, str]:
    values: dict[str, str] = {}
    for name, value in stack.inputs.items():
        if isinstance(value, Output):
            found = known.get(value.concern, {}).get(value.name)
            if found is None and not guess:
                raise Problem(
                    f"stack {stack.name} needs output {value.name} of the stack for {value.concern}, "
                    "which does not tell it",
                    fix=f"look at Outputs in infra/templates/{value.concern}.yaml",
                )
            value = value.placeholder if found is None else found
        values[name] = value
    return values


def _same(stack: Stack, state: State, values: Mapping[str, str], client: Any) -> bool:
    """Whether the deployed stack was made of exactly this; asking for a change set takes ten times as long."""
    return (
        state.parameters == values
        and state.tags == stack.tags
        and cfn.template(client, stack.name) == stack.template
    )


def _settle(stack: Stack, client: Any, pace: Pace) -> Iterator[Event]:
    """Lead a stack out of whatever an earlier run left it in, to where it can be made or updated."""
    state = cfn.find(client, stack.name)
    if state is not None and state.busy:
        yield from cfn.follow(client, state.id, cfn.newest(client, state.id), stack.deadline, pace)
        state = cfn.find(client, stack.name)
    if state is None:
        return
    if state.status == "DELETE_FAILED":
        raise Problem(
            f"stack {stack.name} is half destroyed: {state.reason or 'no reason given'}",
            fix=f"invoke infra.destroy --env {stack.tags['slipway:environment']} first",
        )
    since = cfn.newest(client, state.id)
    if state.status in _FAILED_BIRTHS:
        client.delete_stack(StackName=state.id)
        yield from cfn.follow(client, state.id, since, stack.deadline, pace, asked=True)
        _gone(stack.name, client)
    elif state.status == "UPDATE_ROLLBACK_FAILED":
        client.continue_update_rollback(StackName=state.id)
        seen = yield from collect(cfn.follow(client, state.id, since, stack.deadline, pace, asked=True))
        left = cfn.find(client, stack.name)
        if left is None or left.status != "UPDATE_ROLLBACK_COMPLETE":
            raise failure(stack.name, seen, "its rollback cannot be finished")


def _deploy(
    stack: Stack,
    values: Mapping[str, str],
    client: Any,
    pace: Pace,
    agreed: Collection[tuple[str, str]] | None,
) -> Generator[Event, None, str]:
    """Create or update one stack; the generator returns created, updated or unchanged."""
    state = cfn.find(client, stack.name)
    new = state is None or state.unborn
    if state is not None and not new and _same(stack, state, values, client):
        return "unchanged"
    proposed = cfn.propose(client, stack, values, new, pace)
    if proposed is None:
        return "unchanged"
    _refuse_surprises(rows(stack.name, proposed.changes), agreed, proposed.id, client)
    since = cfn.newest(client, stack.name)
    client.execute_change_set(ChangeSetName=proposed.id)
    seen = yield from collect(cfn.follow(client, stack.name, since, stack.deadline, pace, asked=True))
    ended = cfn.find(client, stack.name)
    if ended is None or ended.status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        raise failure(stack.name, seen, f"it ended as {ended.status if ended else 'nothing'}")
    return "created" if new else "updated"


def _refuse_surprises(
    found: Sequence[Row], agreed: Collection[tuple[str, str]] | None, change_set: str, client: Any
) -> None:
    surprises = [row for row in found if row.destructive and agreed is not None and row.key not in agreed]
    if surprises:
        cfn.discard(client, change_set)
        row = surprises[0]
        raise Problem(
            f"stack {row.stack}: {row.resource} ({row.type}) would be {row.action.lower()}d, which the plan did not show",
            fix="look at infra.plan again, then run infra.apply",
        )


def collect(events: Iterator[Event]) -> Generator[Event, None, list[Event]]:
    """Yield the events and return them all."""
    seen = []
    for event in events:
        seen.append(event)
        yield event
    return seen


def failure(stack: str, seen: Sequence[Event], otherwise: str) -> Problem:
    """Name the resource that failed first, and AWS's reason."""
    causes = [event for event in seen if event.failure]
    cause = next((event for event in causes if not event.about_stack), causes[0] if causes else None)
    if cause is None:
        return Problem(f"stack {stack}: {otherwise}", fix=AGAIN)
    reason = " ".join(cause.reason.split()) or "no reason given"
    return Problem(f"stack {stack}: {cause.resource} ({cause.type}) failed: {reason}", fix=AGAIN)


def _forget(name: str, client: Any) -> None:
    """Remove the empty stack that a change set for a new one leaves."""
    state = cfn.find(client, name)
    if state is not None and state.unborn:
        client.delete_stack(StackName=name)


def _gone(name: str, client: Any) -> None:
    state = cfn.find(client, name)
    if state is not None:
        raise Problem(f"stack {name} cannot be removed: {state.status}, {state.reason}", fix=AGAIN)
