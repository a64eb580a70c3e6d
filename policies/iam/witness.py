"""Concrete requests that a policy was written to allow: one way to see all that it allows.

Each Allow is turned into requests that fit its patterns, with a word nobody uses where a wildcard stands, and a
context that fulfils its conditions as far as one value each can. They are candidates only: `decide` says.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from itertools import product

from policies.iam import variables
from policies.iam.conditions import Absence, Condition
from policies.iam.document import Policy, Statement
from policies.iam.evaluation import Request
from policies.iam.wildcards import ARN_SEGMENTS, Wild

WORD = "slipway-probe"
"""Stands where a wildcard does."""

_WHOLE_SEGMENTS = ("arn", "aws", "s3", "us-east-1", "999999999999")
"""What stands for a segment of an ARN that is nothing but a star."""


def witnesses(policy: Policy, actions: tuple[str, ...], resources: tuple[str, ...]) -> Iterator[Request]:
    """Yield requests made from each Allow of `policy`.

    `actions` and `resources` are candidates for what a wildcard or a Not element leaves open.
    """
    for statement in policy.allows:
        context = _context(statement)
        for action, resource in product(_actions(statement, actions), _resources(statement, resources)):
            yield Request(action, resource, context)


def example(pattern: str) -> str:
    """Return a text that fits `pattern` and that its author hardly had in mind."""
    if not pattern.startswith("arn:"):
        return _filled(pattern)
    segments = pattern.split(":", ARN_SEGMENTS - 1)
    whole = (*_WHOLE_SEGMENTS, WORD)
    return ":".join(
        whole[index] if segment == "*" else _filled(segment) for index, segment in enumerate(segments)
    )


def _filled(text: str) -> str:
    tokens = variables.read(text, "", variables=False, wildcards=True)
    return "".join(
        {Wild.ANY: WORD, Wild.ONE: "x"}.get(token, "") if isinstance(token, Wild) else str(token)
        for token in tokens
    )


def _actions(statement: Statement, candidates: tuple[str, ...]) -> tuple[str, ...]:
    """Return the actions as written where they are plain, and of the candidates those that fit the rest."""
    plain = () if statement.inverted_actions else tuple(map(_action, statement.actions.texts))
    fitting = (
        action for action in candidates if statement.actions.match(action, {}) != statement.inverted_actions
    )
    return tuple(dict.fromkeys((*plain, *fitting)))


def _action(pattern: str) -> str:
    service, _, name = pattern.partition(":")
    return f"{_filled(service)}:{_filled(name or '*')}"


def _resources(statement: Statement, candidates: tuple[str, ...]) -> tuple[str, ...]:
    if statement.resources is None:
        return ()
    plain = () if statement.inverted_resources else tuple(map(example, statement.resources.texts))
    fitting = (
        item for item in candidates if statement.resources.match(item, {}) != statement.inverted_resources
    )
    return tuple(dict.fromkeys((*plain, *fitting)))


def _context(statement: Statement) -> Mapping[str, tuple[str, ...]]:
    context: dict[str, tuple[str, ...]] = {}
    for condition in statement.conditions:
        value = _value(condition)
        if value is not None:
            context.setdefault(condition.key, (value,))
    return context


def _value(condition: Condition) -> str | None:
    """Return a value with which `condition` is likely to hold, or None where its key is better left out."""
    if isinstance(condition, Absence):
        return None if True in condition.absent else WORD
    if condition.negated or not condition.values:
        return None
    value = condition.values[0]
    name = condition.operator.removeprefix(condition.quantifier.value)
    if name.startswith("IpAddress"):
        return value.partition("/")[0]
    if name.startswith("Date"):
        return {"L": "1970-01-02", "G": "2999-01-01"}.get(name[4], value)
    if name.startswith("Numeric"):
        return _beyond(value, {"L": -1, "G": 1}.get(name[7], 0))
    return example(value)


def _beyond(value: str, step: int) -> str:
    try:
        return str(Decimal(value) + step)
    except InvalidOperation:
        return value
