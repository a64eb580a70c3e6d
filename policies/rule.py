"""What a rule is, and how the rules are found."""

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING

from policies.finding import Finding, Position

if TYPE_CHECKING:
    from policies.model.system import System

FAMILIES = {
    "READ": "files that are read alike by everyone",
    "WIRE": "identity",
    "SHIP": "supply",
    "ORDER": "sync",
    "KEYS": "secrets",
    "EDGE": "traffic",
    "FLOW": "workflows",
    "SAFE": "pods",
}
"""Family to what it is about, in the order of the documentation."""

Case = Mapping[str, str]
"""A small tree: path to contents. `rendered/ENV/PATH` stands for what PATH renders in ENV."""
Found = Iterator[tuple[Position, str]]
"""What a rule's check yields: a place, and the fact."""


class DuplicateRule(Exception):
    """Two rules have one id."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One mistake that someone could make, with a tree that has it and one that has not."""

    id: str
    title: str
    why: str
    fix: str
    good: Case
    bad: Case
    check: Callable[["System"], Found]

    @property
    def family(self) -> str:
        """The letters of the id."""
        return self.id.rstrip("0123456789")

    def ask(self, system: "System") -> Iterator[Finding]:
        """The rule's findings in a system."""
        for position, message in self.check(system):
            yield Finding(position, self.id, message, self.why, self.fix)


def discover() -> tuple[Rule, ...]:
    """Find every rule below policies.rules, sorted by family and id."""
    import policies.rules

    modules = pkgutil.walk_packages(policies.rules.__path__, "policies.rules.")
    return collect(importlib.import_module(found.name) for found in modules if not found.ispkg)


def collect(modules: Iterable[ModuleType]) -> tuple[Rule, ...]:
    """Make rules of modules that have ID, TITLE, WHY, FIX, GOOD, BAD and check."""
    rules: dict[str, Rule] = {}
    for module in modules:
        rule = Rule(module.ID, module.TITLE, module.WHY, module.FIX, module.GOOD, module.BAD, module.check)
        if rule.id in rules or rule.family not in FAMILIES:
            raise DuplicateRule(f"{module.__name__}: {rule.id} is taken, or of no family")
        rules[rule.id] = rule
    order = list(FAMILIES)
    return tuple(sorted(rules.values(), key=lambda rule: (order.index(rule.family), rule.id)))
