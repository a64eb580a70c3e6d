"""CloudFormation for the stand-in: one engine, and thin adapters over moto's services.

What it promises and where it differs from AWS: docs/reference/cloudformation-stand-in.md.
"""

import functools
import threading
from typing import Any

from . import acm_api, eks_api, iam_api, rds_api
from .actions import ACTIONS
from .fault import Fault, invalid
from .state import Clock, Stack, now
from .world import Clients, World

__all__ = ["Clients", "CloudFormation", "Fault", "Stack"]


class CloudFormation:
    """Answers CloudFormation's API.

    `clients` gives boto3 clients that reach moto directly; `clock` the time (a replay brings its own).
    Ids and generated names come from the requests alone, so the same requests give the same stacks.
    """

    def __init__(self, clients: Clients, clock: Clock = now) -> None:
        for moto in (acm_api, eks_api, iam_api, rds_api):
            moto.install()
        self.world = World(functools.cache(clients), clock)  # a client takes longer to make than to use
        self._lock = threading.RLock()

    def __call__(self, account: str, region: str, action: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Answer one request, botocore's shapes in and out; raise Fault if AWS would refuse it."""
        known = ACTIONS.get(action)
        if known is None:
            raise Fault(
                "InvalidAction", f"{action} is not supported by Slipway's stand-in for CloudFormation"
            )
        strange = sorted(parameters.keys() - known.parameters)
        if strange:
            raise invalid(
                f"{action}: {', '.join(strange)} is not supported by Slipway's stand-in for CloudFormation"
            )
        with self._lock:
            return known.answer(self.world, account, region, parameters)
