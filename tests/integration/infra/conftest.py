import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from infra import deploy
from infra.cloudformation import Event, Pace
from infra.deploy import Done, Planned
from infra.destroy import destroy
from infra.drift import Difference, drift
from infra.environment import Environment, check, load
from infra.stacks import Stack, catalogue
from tests.integration.infra.world import World

PACE = Pace(every=0.01, now=lambda: time.monotonic() * 30)
"""Time runs thirty times as fast: what is waited for in vain costs seconds."""

REGION = "ap-northeast-1"


@dataclass
class Account:
    """One environment in its account of a stand-in: what the verbs do, without their printing."""

    environment: Environment
    world: World
    events: list[Event] = field(default_factory=list)

    @property
    def stacks(self) -> tuple[Stack, ...]:
        return catalogue(self.environment)

    @property
    def clients(self) -> Callable[[str], Any]:
        made: Callable[[str], Any] = self.world.clients(self.environment.wiring.account)
        return made

    def plan(self) -> list[Planned]:
        return list(deploy.plan(self.stacks, self.clients("cloudformation"), PACE))

    def apply(self, agreed: Any = None) -> dict[str, str]:
        """Outcome by concern; events are kept."""
        outcomes = {}
        for event in deploy.apply(self.stacks, self.clients("cloudformation"), PACE, agreed):
            if isinstance(event, Done):
                outcomes[event.stack.rsplit("-", 1)[-1]] = event.outcome
            else:
                self.events.append(event)
        return outcomes

    def outputs(self) -> deploy.Outputs:
        return deploy.outputs(self.stacks, self.clients("cloudformation"))

    def drift(self) -> list[Difference]:
        found = drift(self.stacks, self.clients("cloudformation"), PACE)
        return [row for result in found for row in result.differences]

    def destroy(self, with_data: bool = False) -> list[Any]:
        cluster = self.environment.wiring.cluster_name
        return list(destroy(self.stacks, self.clients, cluster, with_data, PACE))

    def change(self, section: str, **values: Any) -> None:
        """Give parameters other values, as if the file had them."""
        before = self.environment.parameters
        if section == "":
            after = replace(before, **values)
        else:
            part = getattr(before, section)
            if section == "network":
                part = replace(part, public_subnets=(), private_subnets=())
            after = replace(before, **{section: replace(part, **values)})
        self.environment = replace(self.environment, parameters=check(after, REGION))

    def rewire(self, **values: str) -> None:
        self.environment = replace(self.environment, wiring=replace(self.environment.wiring, **values))

    def retemplate(self, concern: str, old: str, new: str) -> None:
        templates = dict(self.environment.templates)
        assert old in templates[concern]
        templates[concern] = templates[concern].replace(old, new)
        self.environment = replace(self.environment, templates=templates)


def account(world: World, name: str) -> Account:
    """An environment of the repository in an account that nobody used."""
    found = Account(load(name), world)
    number = next(world.accounts)
    found.rewire(account=number, registry=f"{number}.dkr.ecr.{REGION}.amazonaws.com")
    return found


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    running = World(tmp_path_factory.mktemp("aws"), REGION)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def standing(world: World) -> Account:
    """One deployment for those tests of a file that leave it as it was, or do not mind."""
    found = account(world, "production")
    found.apply()
    return found


@pytest.fixture
def production(world: World) -> Account:
    return account(world, "production")


@pytest.fixture
def deployed(production: Account) -> Account:
    production.apply()
    return production
