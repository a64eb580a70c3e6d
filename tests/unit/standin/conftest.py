"""The stand-in in this process: its sources are an image's recipe, and are imported as they are there."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ci.settings import ROOT

sys.path.insert(0, str(ROOT / "ci/supply/images/aws"))
sys.dont_write_bytecode = True  # bytecode in a recipe would be content

from tests.unit.standin.cloud import Cloud  # noqa: E402
from tests.unit.standin.tokens import Issuer  # noqa: E402


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    """A stand-in with two accounts and nothing in them."""
    made = Cloud(tmp_path)
    made.start()
    yield made
    made.forget()


@pytest.fixture(scope="session")
def cluster() -> Issuer:
    """The issuer of a cluster's ServiceAccount tokens."""
    return Issuer("https://oidc.eks.ap-northeast-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF")


@pytest.fixture(scope="session")
def github() -> Issuer:
    """GitHub's issuer of workflow tokens, with keys of this test's own."""
    return Issuer("https://token.actions.githubusercontent.com")
