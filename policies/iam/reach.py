"""Whom does a trust policy let in? Asked of it concretely, caller by caller, however it is written.

verdict = reach(trust, repository.rightful(ours, role), repository.adversaries(ours, role))
verdict.let_in      # adversaries it lets in: each is a hole
verdict.shut_out    # rightful callers it refuses: each is an outage
"""

from collections.abc import Iterable
from typing import NamedTuple

from policies.iam.callers import Caller
from policies.iam.document import Policy


class Reach(NamedTuple):
    """Both empty: the trust policy lets in exactly whom it should, as far as the callers tell."""

    let_in: tuple[Caller, ...]
    shut_out: tuple[Caller, ...]


def reach(trust: Policy, rightful: Iterable[Caller], adversaries: Iterable[Caller]) -> Reach:
    """Ask `trust` about each caller; a rightful caller is not also an adversary."""
    welcome = tuple(rightful)
    return Reach(
        let_in=tuple(caller for caller in adversaries if caller.knock(trust).allowed),
        shut_out=tuple(caller for caller in welcome if not caller.knock(trust).allowed),
    )
