"""The verbs as a user types them, on production's account in a stand-in."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ci.settings import wiring
from tests.integration.infra.conftest import REGION
from tests.integration.infra.world import World
from tests.invocation import Ended, invoke

NAME = "slipway-infra"
TARGET = ("--env", "production", "--stand-in")


@dataclass(frozen=True, slots=True)
class Shell:
    """Where the verbs are typed."""

    env: dict[str, str]

    def __call__(self, verb: str, *flags: str) -> Ended:
        return invoke(verb, *TARGET, *flags, env=self.env, seconds=170)


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    folder, cache = tmp_path_factory.mktemp("verbs"), tmp_path_factory.mktemp("cache")
    account = wiring("production").account
    secret = cache / "environments" / NAME / "secrets" / f"aws-operator-{account}"
    secret.parent.mkdir(parents=True)
    secret.write_text("word")
    world = World(folder, REGION, [(account, f"AKSLIPWAY{account}", "word")])
    yield Shell({"SLIPWAY_NAME": NAME, "SLIPWAY_CACHE": str(cache), "SLIPWAY_PORT": str(world.port - 4)})
    world.stop()


def test_the_whole_plan_is_shown_and_nothing_is_made(shell: Shell) -> None:
    ended = shell("infra.plan").succeeded()
    assert "add 73 (7 new of 7 stacks)" in ended.out
    lines = [line.split() for line in ended.out.splitlines() if line.startswith("slipway-production-")]
    assert len(lines) == 73
    assert ["slipway-production-events", "Add", "ImagePushed", "AWS::Events::Rule"] in lines
    assert shell("infra.outputs").succeeded().out.strip() == "nothing is deployed"


def test_drift_of_nothing_is_a_difference(shell: Shell) -> None:
    shell("infra.drift").refused("7 differences from the templates", "infra.apply --env production")


def test_apply_asks_and_takes_no_answer_for_no(shell: Shell) -> None:
    shell("infra.apply").refused("nothing was changed", "--yes")
    assert shell("infra.outputs").succeeded().out.strip() == "nothing is deployed"


def test_apply_then_no_drift_and_a_second_apply_does_nothing(shell: Shell) -> None:
    ended = shell("infra.apply", "--yes").succeeded()
    assert "slipway-production-events created" in ended.out
    assert "CREATE_COMPLETE  Vpc  AWS::EC2::VPC" in ended.out
    assert "at the registrar of slipway.example.com, name these: ns-" in ended.out
    assert shell("infra.drift").succeeded().out.endswith("no drift\n")
    again = shell("infra.apply", "--yes").succeeded()
    assert "nothing to change (7 unchanged of 7 stacks)" in again.out


def test_outputs_for_people_and_for_programs(shell: Shell) -> None:
    told = json.loads(shell("infra.outputs", "--json").succeeded().out)
    assert told["cluster"]["ClusterName"] == "slipway-production"
    lines = [line.split() for line in shell("infra.outputs").succeeded().out.splitlines()]
    assert lines[0] == ["stack", "output", "value"]
    assert ["dns", "HostedZoneId", told["dns"]["HostedZoneId"]] in lines


def test_no_secret_is_in_what_is_shown(shell: Shell) -> None:
    shown = "".join(shell(verb).out for verb in ("infra.plan", "infra.outputs"))
    assert "word" not in shown.replace("password", "")
    assert "MasterUserPassword" not in shown


def test_destroy_refuses_until_told_twice(shell: Shell) -> None:
    ended = shell("infra.destroy", "--yes").refused(
        "things are protected; nothing was removed", "--yes --and-data"
    )
    assert "stack slipway-production-database is protected" in ended.out
    asked = shell("infra.destroy", "--and-data").refused("nothing was changed", "--yes")
    assert "removes production from account 210987654321 of the stand-in" in asked.out
    assert shell("infra.drift").succeeded()


def test_destroy_removes_everything_and_says_what_stays(shell: Shell) -> None:
    ended = shell("infra.destroy", "--yes", "--and-data").succeeded()
    assert "slipway-production-network removed" in ended.out
    assert "(the database's final snapshot)" in ended.out
    assert "LEFT" not in ended.out
    assert shell("infra.outputs").succeeded().out.strip() == "nothing is deployed"


def test_credentials_of_another_account_are_refused(shell: Shell, tmp_path: Path) -> None:
    """The wiring names another account than the one the operator's keys are of."""
    account = wiring("production").account
    other = World(tmp_path, REGION, [("555555555555", f"AKSLIPWAY{account}", "word")])
    env = shell.env | {"SLIPWAY_PORT": str(other.port - 4)}
    try:
        for verb in ("infra.plan", "infra.apply", "infra.destroy"):
            invoke(verb, *TARGET, env=env).refused(
                f"of account 555555555555; production is {account}", "wiring"
            )
    finally:
        other.stop()
