"""One test of a `Condition` block: an operator, a key, and what a missing or many-valued key means for it.

Source: IAM User Guide, "Condition operators" and "Single-valued vs. multivalued context keys".
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from policies.iam.comparisons import OPERATORS, Compare
from policies.iam.malformed import Malformed, hint
from policies.iam.patterns import Text
from policies.iam.variables import Context

_IF_EXISTS = "IfExists"


class Quantifier(Enum):
    """Which of a key's values must match."""

    SINGLE = ""
    ALL = "ForAllValues:"
    ANY = "ForAnyValue:"


@dataclass(frozen=True, slots=True)
class Condition:
    """One operator on one key; `operator` and `values` as written, `key` in lower case."""

    where: str
    operator: str
    key: str
    values: tuple[str, ...]
    quantifier: Quantifier
    if_exists: bool
    negated: bool
    compare: Compare = field(repr=False)

    def holds(self, context: Context) -> bool:
        """Return whether the request fulfils the condition.

        A key with several values under an operator without quantifier, which AWS leaves open, matches when
        one of its values does, and its negation holds when none does.
        """
        values = context.get(self.key)
        if self.quantifier is Quantifier.SINGLE:
            if not values:
                return self.if_exists or self.negated
            return any(self.compare(value, context) for value in values) != self.negated
        if not values:
            return self.if_exists or self.quantifier is Quantifier.ALL
        if not any(values):
            # AWS: an empty data set, such as an empty string.
            return self.quantifier is Quantifier.ALL
        matches = (self.compare(value, context) != self.negated for value in values)
        return all(matches) if self.quantifier is Quantifier.ALL else any(matches)


@dataclass(frozen=True, slots=True)
class Absence(Condition):
    """The operator Null: `true` asks for a key without value, `false` for one with."""

    absent: frozenset[bool]

    def holds(self, context: Context) -> bool:
        """Return whether the key is there, or is not, as asked."""
        return (not any(context.get(self.key, ()))) in self.absent


def condition(where: str, operator: str, key: Text, values: Sequence[Text], *, variables: bool) -> Condition:
    """Compile one key of one operator; `where` is the operator's position, `key.where` the key's."""
    quantifier = next(
        (item for item in (Quantifier.ALL, Quantifier.ANY) if operator.startswith(item.value)),
        Quantifier.SINGLE,
    )
    plain = operator.removeprefix(quantifier.value)
    name = plain.removesuffix(_IF_EXISTS)
    if ":" not in key.value:
        raise Malformed(key.where, "a condition key has a prefix, as in aws:SourceIp")
    written = tuple(value.value for value in values)
    if name == "Null":
        if operator != "Null":
            raise Malformed(where, "Null takes neither ForAllValues, ForAnyValue nor IfExists")
        absent = frozenset(_truth(value) for value in values)
        return Absence(
            key.where, operator, key.value.lower(), written, quantifier, False, False, _never, absent
        )
    if name not in OPERATORS:
        raise Malformed(where, f"unknown operator{hint(name, [*OPERATORS, 'Null'])}")
    build, negated = OPERATORS[name]
    compare = build(values, variables)
    return Condition(
        key.where, operator, key.value.lower(), written, quantifier, plain != name, negated, compare
    )


def _truth(value: Text) -> bool:
    if value.value.lower() not in ("true", "false"):
        raise Malformed(value.where, f"'{value.value}' is neither true nor false")
    return value.value.lower() == "true"


def _never(_value: str, _context: Context) -> bool:
    return False
