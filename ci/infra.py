"""The verbs `infra.*`: plan, apply, outputs, drift and destroy, shown and asked about."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text

from ci import aws, table
from ci.problem import Problem
from ci.progress import Step, clock, console, step
from ci.settings import Settings, Wiring
from infra import deploy
from infra.changes import REMOVE, REPLACE, Row
from infra.cloudformation import PACE, Event, Pace
from infra.deploy import Done, Outputs, Planned
from infra.destroy import Removed, held
from infra.destroy import destroy as tear_down
from infra.drift import Checked, Difference
from infra.drift import drift as compare
from infra.environment import load
from infra.remains import Remnant
from infra.stacks import Stack, catalogue

LOCAL_PACE = Pace(every=0.1)
"""The stand-in has no rate limit, and takes seconds where AWS takes minutes."""


@dataclass(frozen=True, slots=True)
class Target:
    """One environment's stacks and the account they are in."""

    wiring: Wiring
    stacks: tuple[Stack, ...]
    clients: aws.Clients
    stand_in: bool

    @property
    def pace(self) -> Pace:
        """How often to look while waiting."""
        return LOCAL_PACE if self.wiring.environment == "local" or self.stand_in else PACE


def target(settings: Settings, environment: str, stand_in: bool = False) -> Target:
    """Load and check an environment; nothing is called."""
    loaded = load(environment)
    return Target(loaded.wiring, catalogue(loaded), aws.clients(settings, loaded.wiring, stand_in), stand_in)


def ensure(
    settings: Settings, environment: str, stand_in: bool = False, shown: Step | None = None
) -> Outputs:
    """Bring the stacks to what they should be without asking, for `bootstrap`; return their outputs."""
    chosen = target(settings, environment, stand_in)
    with aws.explained(chosen.wiring, stand_in):
        aws.check_account(chosen.clients, chosen.wiring)
        client = chosen.clients("cloudformation")
        for event in deploy.apply(chosen.stacks, client, chosen.pace):
            if shown is not None:
                shown.note = _line(event)
        return deploy.outputs(chosen.stacks, client)


def plan(settings: Settings, environment: str, stand_in: bool) -> None:
    """Print what `apply` would change."""
    chosen = target(settings, environment, stand_in)
    with aws.explained(chosen.wiring, stand_in):
        _plan(chosen)


def apply(settings: Settings, environment: str, stand_in: bool, yes: bool) -> None:
    """Print the plan, ask unless `yes`, and apply it with live progress."""
    chosen = target(settings, environment, stand_in)
    with aws.explained(chosen.wiring, stand_in):
        planned = _plan(chosen)
        if all(item.state == deploy.UNCHANGED and not item.note for item in planned):
            _protect(chosen)
            return
        _ask(f"Change {environment} so?", yes)
        agreed = {row.key for item in planned for row in item.rows if row.destructive}
        client = chosen.clients("cloudformation")
        with step(f"infrastructure of {environment}") as shown:
            for event in deploy.apply(chosen.stacks, client, chosen.pace, agreed):
                _report(event, shown)
                _tell_name_servers(chosen, event)


def outputs(settings: Settings, environment: str, stand_in: bool, as_json: bool) -> None:
    """Print the stacks' outputs."""
    chosen = target(settings, environment, stand_in)
    with aws.explained(chosen.wiring, stand_in):
        found = deploy.outputs(chosen.stacks, chosen.clients("cloudformation"))
    if as_json:
        print(json.dumps(found, indent=2))  # for programs: no colours, no wrapping
        return
    rows = [(concern, name, value) for concern, told in found.items() for name, value in told.items()]
    _table_or("nothing is deployed", ("stack", "output", "value"), rows)


def drift(settings: Settings, environment: str, stand_in: bool) -> None:
    """Print what differs from the templates; a difference is a Problem, so that a script sees it."""
    chosen = target(settings, environment, stand_in)
    results: list[Checked] = []
    with aws.explained(chosen.wiring, stand_in), step("compare with the templates") as shown:
        for result in compare(chosen.stacks, chosen.clients("cloudformation"), chosen.pace):
            shown.note = f"{result.stack}: {result.resources} resources compared"
            results.append(result)
        shown.note = f"{sum(result.resources for result in results)} resources compared"
    rows = [_difference(row) for result in results for row in result.differences]
    if rows:
        table.show(console, ("stack", "resource", "what", "property", "template", "deployed"), rows)
        raise Problem(
            f"{len(rows)} differences from the templates",
            fix=f"undo them by hand, or put them into infra/ and run invoke infra.apply --env {environment}",
        )
    console.print("no drift")


def destroy(settings: Settings, environment: str, stand_in: bool, yes: bool, and_data: bool) -> None:
    """Print what goes, ask unless `yes`, and remove it; what is protected needs `and_data` too."""
    chosen = target(settings, environment, stand_in)
    with aws.explained(chosen.wiring, stand_in):
        aws.check_account(chosen.clients, chosen.wiring)
        reasons = held(chosen.stacks, chosen.clients)
        where = "the stand-in" if environment == "local" or stand_in else "AWS"
        console.print(f"infra.destroy removes {environment} from account {chosen.wiring.account} of {where}:")
        for reason in reasons:
            console.print(f"  {reason}", markup=False)
        if reasons and not and_data:
            raise Problem(
                f"{len(reasons)} things are protected; nothing was removed",
                fix="--yes --and-data removes them too; the database keeps a final snapshot",
            )
        _ask(f"Remove {environment}?", yes)
        with step(f"remove the infrastructure of {environment}") as shown:
            events = tear_down(
                chosen.stacks, chosen.clients, chosen.wiring.cluster_name, and_data, chosen.pace
            )
            for event in events:
                _report(event, shown)


def _plan(chosen: Target) -> list[Planned]:
    aws.check_account(chosen.clients, chosen.wiring)
    planned: list[Planned] = []
    with step("compare with what is deployed") as shown:
        for item in deploy.plan(chosen.stacks, chosen.clients("cloudformation"), chosen.pace):
            shown.note = f"{item.stack} is {item.state}"
            planned.append(item)
        shown.note = ""
    for item in planned:
        if item.note:
            console.print(f"{item.stack}: {item.note}", markup=False)
    rows = [row for item in planned for row in item.rows]
    if rows:
        columns = ("stack", "change", "resource", "type", "why")
        table.show(console, columns, [_row(row) for row in rows])
    console.print(_summary(planned), markup=False)
    return planned


def _row(row: Row) -> tuple[str | Text, ...]:
    mark = "! " if row.destructive else "  "
    style = "red" if row.action in (REMOVE, REPLACE) else "yellow" if row.destructive else ""
    return row.stack, Text(mark + row.action, style=style), row.resource, row.type, row.why


def _summary(planned: Sequence[Planned]) -> str:
    rows = [row for item in planned for row in item.rows]
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.action] = counts.get(row.action, 0) + 1
    told = ", ".join(f"{action.lower()} {count}" for action, count in counts.items()) or "nothing to change"
    lost = sum(row.destructive for row in rows)
    states = [item.state for item in planned]
    stacks = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
    warning = f"; ! marks {lost} that may remove something that exists" if lost else ""
    return f"{told} ({stacks} of {len(planned)} stacks){warning}"


def _report(event: object, shown: Step) -> None:
    shown.note = _line(event)
    console.print(f"  {shown.note}", markup=False)


def _line(event: object) -> str:
    if isinstance(event, Event):
        words = (
            f"{event.time:%H:%M:%S}",
            event.stack,
            event.status,
            event.resource,
            event.type,
            event.reason,
        )
        return "  ".join(word for word in words if word)
    if isinstance(event, Done):
        return f"{event.stack} {event.outcome}, {clock(event.seconds)}"
    if isinstance(event, Removed):
        return f"removed {event.what}"
    if isinstance(event, Remnant):
        return f"{'kept' if event.meant else 'LEFT'}: {event.name}{f' ({event.why})' if event.why else ''}"
    raise TypeError(event)


def _tell_name_servers(chosen: Target, event: object) -> None:
    """Say what the registrar has to know while there is time: the certificate next to the zone waits for it."""
    if not isinstance(event, Event) or event.type != "AWS::Route53::HostedZone":
        return
    if event.status == "CREATE_COMPLETE":
        servers = chosen.clients("route53").get_hosted_zone(Id=event.physical)["DelegationSet"]["NameServers"]
        console.print(f"  at the registrar of {chosen.wiring.domain}, name these: {', '.join(servers)}")


def _protect(chosen: Target) -> None:
    """Switch the stacks' protection where nothing else is to do."""
    client = chosen.clients("cloudformation")
    for _ in deploy.apply(chosen.stacks, client, chosen.pace, agreed=()):
        pass


def _difference(row: Difference) -> tuple[str, ...]:
    what = row.status.lower().replace("_", " ")
    return row.stack, row.resource, what, row.property, row.expected, row.actual


def _table_or(nothing: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    if rows:
        table.show(console, columns, rows)
    else:
        console.print(nothing)


def _ask(question: str, yes: bool) -> None:
    if yes:
        return
    answer = input(f"{question} Type yes: ").strip() if sys.stdin.isatty() else ""
    if answer != "yes":
        raise Problem("nothing was changed", fix="answer yes, or pass --yes in scripts")
