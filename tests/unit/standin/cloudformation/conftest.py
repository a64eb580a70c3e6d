import functools
import itertools

import pytest
from standin.cloudformation import Clients, CloudFormation, inprocess

from tests.unit.standin.cloudformation.sandbox import Sandbox

ACCOUNTS = itertools.count(100_000_000_001)


@functools.cache
def clients() -> Clients:
    return inprocess.clients()


@pytest.fixture
def sandbox() -> Sandbox:
    """An engine of its own in an account of its own: moto's state lives as long as the process."""
    return Sandbox(CloudFormation(clients()), clients(), str(next(ACCOUNTS)), "ap-northeast-1")
