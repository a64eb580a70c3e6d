"""Remove an environment's stacks with everything in the way, and verify that nothing is left.

The order is the dependencies' reversed, for one more reason: with the stack `identity` the controllers' roles go
first, so that nothing in the cluster can make anew what is then removed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ci.problem import Problem
from infra import cloudformation as cfn
from infra import leftovers
from infra.cloudformation import PACE, Event, Pace, State
from infra.deploy import AGAIN, Done, collect, failure
from infra.leftovers import Clients
from infra.remains import Remnant, remains
from infra.stacks import Stack

REPOSITORIES = ("eks-app", "eks-web", "eks-migration")


@dataclass(frozen=True, slots=True)
class Removed:
    """Something that no stack knew is gone."""

    what: str


Shown = Event | Done | Removed | Remnant


def held(stacks: Sequence[Stack], clients: Clients) -> list[str]:
    """Return what a careless destroy would lose or is not allowed to remove, in words."""
    client = clients("cloudformation")
    states = _states(stacks, client)
    found = [f"stack {state.name} is protected" for state in states.values() if state.protected]
    if identifier := _output(states, "database", "InstanceId"):
        found.append(f"database {identifier}")
    if "registry" in states:
        counts = {name: leftovers.count_images(clients, name) for name in REPOSITORIES}
        found += [f"{count} images of {name}" for name, count in counts.items() if count]
    if (arn := _output(states, "identity", "GitCredentialsArn")) and _has_value(clients, arn):
        found.append("secret git-credentials")
    return found


def destroy(
    stacks: Sequence[Stack], clients: Clients, cluster: str, with_data: bool = False, pace: Pace = PACE
) -> Iterator[Shown]:
    """Remove everything; refuse, before anything is removed, while there is data and `with_data` is not given.

    The database leaves a final snapshot, which is yielded as a Remnant that is meant to stay. Raise Problem that
    names what is left although it should not be.
    """
    client = clients("cloudformation")
    if (reasons := held(stacks, clients)) and not with_data:
        raise Problem(
            f"{len(reasons)} things here are protected: {'; '.join(reasons)}",
            fix="add --yes --and-data to lose them too; the database keeps a final snapshot",
        )
    states = _states(stacks, client)
    for stack in stacks:
        if stack.concern in states:
            yield from _lift(stack, states[stack.concern], client, pace)
    for stack in reversed(stacks):
        if stack.concern in states:
            yield from _clear(stack.concern, states, clients, cluster, pace)
            yield from _delete(stack, client, pace)
    yield from _verify(stacks, clients, cluster, pace)


def _lift(stack: Stack, state: State, client: Any, pace: Pace) -> Iterator[Event]:
    """Take the protection from a stack, and by its own parameter from cluster and database in it."""
    yield from _rest(stack, state, client, pace)
    if state.protected:
        client.update_termination_protection(StackName=stack.name, EnableTerminationProtection=False)
    if state.parameters.get("Protected") != "true" or not state.status.endswith(
        ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")
    ):
        return
    proposed = cfn.propose_values(client, state, {"Protected": "false"}, pace)
    if proposed is None:
        return
    since = cfn.newest(client, state.id)
    client.execute_change_set(ChangeSetName=proposed.id)
    seen = yield from collect(cfn.follow(client, stack.name, since, stack.deadline, pace, asked=True))
    ended = cfn.find(client, stack.name)
    if ended is None or ended.status != "UPDATE_COMPLETE":
        raise failure(stack.name, seen, "its protection cannot be taken away")


def _rest(stack: Stack, state: State, client: Any, pace: Pace) -> Iterator[Event]:
    if state.busy:
        yield from cfn.follow(client, state.id, cfn.newest(client, state.id), stack.deadline, pace)


def _clear(
    concern: str, states: Mapping[str, State], clients: Clients, cluster: str, pace: Pace
) -> Iterator[Removed]:
    """Remove what would keep the stack of `concern` from being deleted."""
    vpc, zone = _output(states, "network", "VpcId"), _output(states, "dns", "HostedZoneId")
    ways: dict[str, Callable[[], Iterator[str]]] = {
        "dns": lambda: leftovers.records(clients, zone),
        "registry": lambda: leftovers.images(clients, REPOSITORIES),
        "cluster": lambda: leftovers.load_balancers(clients, cluster, pace),
        "network": lambda: _network(clients, vpc, cluster, pace),
    }
    if concern in ways and (concern not in ("dns", "network") or {"dns": zone, "network": vpc}[concern]):
        yield from map(Removed, ways[concern]())


def _network(clients: Clients, vpc: str, cluster: str, pace: Pace) -> Iterator[str]:
    # Again, for where the stack `cluster` never came to be or an earlier run got no further.
    yield from leftovers.load_balancers(clients, cluster, pace)
    yield from leftovers.network_interfaces(clients, vpc, cluster, pace)
    yield from leftovers.security_groups(clients, vpc, cluster, pace)


def _delete(stack: Stack, client: Any, pace: Pace) -> Iterator[Event | Done]:
    began = pace.now()
    state = cfn.find(client, stack.name)
    if state is None:
        return
    since = cfn.newest(client, state.id)
    client.delete_stack(StackName=state.id)
    seen = yield from collect(cfn.follow(client, state.id, since, stack.deadline, pace, asked=True))
    left = cfn.find(client, stack.name)
    if left is not None:
        raise failure(stack.name, seen, f"it cannot be removed: {left.reason or left.status}")
    yield Done(stack.name, "removed", pace.now() - began)


def _verify(stacks: Sequence[Stack], clients: Clients, cluster: str, pace: Pace) -> Iterator[Remnant]:
    environment = stacks[0].tags["slipway:environment"]
    found = remains(clients, environment, cluster, pace)
    yield from found
    wrong = [remnant for remnant in found if not remnant.meant]
    if wrong:
        raise Problem(
            f"{len(wrong)} things are left: {', '.join(remnant.name for remnant in wrong)}", fix=AGAIN
        )


def _states(stacks: Sequence[Stack], client: Any) -> dict[str, State]:
    found = {stack.concern: cfn.find(client, stack.name) for stack in stacks}
    return {concern: state for concern, state in found.items() if state is not None}


def _output(states: Mapping[str, State], concern: str, name: str) -> str:
    return states[concern].outputs.get(name, "") if concern in states else ""


def _has_value(clients: Clients, arn: str) -> bool:
    secrets = clients("secretsmanager")
    try:
        return bool(secrets.describe_secret(SecretId=arn).get("VersionIdsToStages"))
    except secrets.exceptions.ResourceNotFoundException:
        return False
