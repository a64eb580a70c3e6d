"""The environment that `nox -s e2e` brought up, and a developer's clone for the whole session.

The files run in the order of their numbers; each leaves the environment serving, Synced and Healthy.
"""

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from ci import settings as all_settings
from ci.settings import ROOT
from tests.e2e.checkout import Checkout
from tests.e2e.environment import Environment
from tests.invocation import invoke

ARTIFACTS = Path(os.environ.get("SLIPWAY_ARTIFACTS", ROOT / "artifacts" / "e2e"))


@pytest.fixture(scope="session")
def environment() -> Iterator[Environment]:
    loaded = all_settings.load()
    assert "SLIPWAY_NAME" in os.environ, (
        "these tests break things: run nox -s e2e, or name an environment for it"
    )
    assert loaded.kubeconfig.exists(), f"environment '{loaded.name}' is not there: run nox -s e2e"
    made = Environment(loaded)
    yield made
    made.close()


@pytest.fixture
def settled(environment: Environment) -> Iterator[Environment]:
    """The environment, Synced and Healthy before and after the test."""
    environment.settle()
    yield environment
    environment.settle()


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return Checkout(tmp_path_factory.mktemp("developer") / "slipway")


@pytest.fixture(scope="session")
def artifacts() -> Path:
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    return ARTIFACTS


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show `invoke status` with every failure: afterwards the environment is gone."""
    report = yield
    if report.failed:
        ended = invoke("status", seconds=60)
        report.sections.append(("invoke status", ended.out + ended.err))
    return report
