"""The way to our own CloudFormation engine, whose changes are records of the ledger."""

from collections.abc import Callable
from typing import Any

from . import services, wire
from .fault import Fault
from .ledger import Ledger, Target
from .services import Call

Engine = Callable[[str, str, str, dict[str, Any]], dict[str, Any]]
"""(account, region, action, parameters) -> output, both in the shape of botocore's model."""


class Stacks:
    """Hands calls to the engine; without one, every call is refused."""

    def __init__(self, engine: Engine | None, ledger: Ledger) -> None:
        self._engine = engine
        self._ledger = ledger

    def answer(self, request: wire.Request, call: Call, account: str) -> dict[str, Any]:
        """Answer one call; refusals of the engine become Faults of ours."""
        target = Target(account, call.region, call.service.name, call.operation.name)
        return self._ledger.change(request, target, lambda: self._perform(target, call.parameters))

    def again(self, request: wire.Request, target: Target) -> None:
        """Make a change again that was made before."""
        call = services.understand(request, services.find(request, target.service), target.region)
        self._perform(target, call.parameters)

    def _perform(self, target: Target, parameters: dict[str, Any]) -> dict[str, Any]:
        if self._engine is None:
            raise Fault("NotImplemented", "This stand-in for AWS has no CloudFormation", 501)
        try:
            return self._engine(target.account, target.region, target.operation, parameters)
        except Exception as error:
            if type(error).__name__ == "Fault":  # the engine has a class of its own, of the same shape
                found: Any = error
                raise Fault(found.code, found.message, found.status) from error
            raise
