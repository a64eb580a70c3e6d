"""Ask every rule about a system, and answer with sorted findings."""

from collections.abc import Iterable, Sequence
from datetime import date

from policies import waiver
from policies.finding import Finding, Position
from policies.memory import uncollected
from policies.model.system import System
from policies.rule import Rule, discover


def check(system: System, today: date, rules: Sequence[Rule] | None = None) -> tuple[Finding, ...]:
    """Return what is wrong, sorted by place; `rules` are all there are, unless given.

    A rule that fails on input it did not expect is a finding itself: what was not judged must not
    pass for good.
    """
    asked = discover() if rules is None else rules
    with uncollected():
        found = {finding for rule in asked for finding in _ask(rule, system)}
    known = frozenset(rule.id for rule in asked)
    return tuple(sorted(waiver.apply(system.sources, found, known, today)))


def _ask(rule: Rule, system: System) -> Iterable[Finding]:
    try:
        return list(rule.ask(system))
    except Exception as error:  # noqa: BLE001  # see above; the finding names the rule and the error
        words = f"{type(error).__name__}: {str(error)[:200]}"
        message = f"rule {rule.id} could not judge this tree: {words}"
        return [Finding(Position("policies"), "RULE", message, fix="Correct the input, or the rule.")]
