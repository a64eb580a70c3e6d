"""Read a policy document into statements that are ready to be evaluated.

Nothing is guessed and nothing is skipped: an element, operator or value that the policy language does not know
raises Malformed with its position. Source: IAM User Guide, "IAM JSON policy element reference" and "Grammar".
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from policies.iam import variables
from policies.iam.conditions import Condition, condition
from policies.iam.malformed import Malformed, hint
from policies.iam.patterns import Patterns, Reading, Text, patterns
from policies.iam.principals import TYPES, Principals, principals
from policies.iam.variables import Context, Variable
from policies.iam.wildcards import ARN_SEGMENTS, Style

Effect = Literal["Allow", "Deny"]
Kind = Literal["identity", "resource", "trust"]

VARIABLES_SINCE = "2012-10-17"
_VERSIONS = ("2008-10-17", VARIABLES_SINCE)
_TOP = ("Version", "Id", "Statement")
_ELEMENTS = (
    "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition",
)  # fmt: skip
_ACTION = re.compile(r"\*|(?:\*|[a-zA-Z0-9][a-zA-Z0-9.-]*):[a-zA-Z0-9*?._/-]+", re.ASCII)
_RESOURCE = re.compile(r"\*|arn:(?:\*|[a-z][a-z0-9-]*):[a-z0-9-]+:.+", re.ASCII | re.DOTALL)
"""AWS takes no wildcard in the service of an ARN."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement; `where` is its position, as in `Statement[1]`.

    `inverted_*` say that the element was written with Not. A statement of a trust policy has no resources: it is
    about the role it belongs to. One of an identity policy has no principals.
    """

    where: str
    sid: str
    effect: Effect
    actions: Patterns
    inverted_actions: bool
    resources: Patterns | None
    inverted_resources: bool
    principals: Principals | None
    inverted_principals: bool
    conditions: tuple[Condition, ...]

    def covers(self, action: str, resource: str, context: Context) -> bool:
        """Return whether action (in any case) and resource are the statement's; nothing else is asked."""
        if self.actions.match(action, context) == self.inverted_actions:
            return False
        return self.resources is None or self.resources.match(resource, context) != self.inverted_resources

    def failing(self, context: Context) -> Condition | None:
        """Return the first condition that does not hold, or None."""
        for test in self.conditions:
            if not test.holds(context):
                return test
        return None


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy document, compiled."""

    version: str
    id: str
    statements: tuple[Statement, ...]
    allows: tuple[Statement, ...] = field(init=False)
    denies: tuple[Statement, ...] = field(init=False)

    def __post_init__(self) -> None:
        for name, effect in (("allows", "Allow"), ("denies", "Deny")):
            object.__setattr__(self, name, tuple(item for item in self.statements if item.effect == effect))


def parse(document: Mapping[str, Any], kind: Kind | None = None) -> Policy:
    """Compile `document`; raise Malformed where AWS would not accept it.

    With `kind`, also refuse what that kind of policy may not hold: a Principal in an identity policy, a Resource
    in a trust policy, and so on.
    """
    top = _object(document, "document", _TOP)
    version = top.get("Version", _VERSIONS[0])
    if version not in _VERSIONS:
        raise Malformed(
            "Version", f"{version!r} is neither '{_VERSIONS[1]}' nor '{_VERSIONS[0]}', as a string"
        )
    if "Statement" not in top:
        raise Malformed("Statement", "is missing")
    written = top["Statement"]
    positions = {"Statement": written}
    if isinstance(written, list | tuple):
        positions = {f"Statement[{index}]": item for index, item in enumerate(written)}
    if not positions:
        raise Malformed("Statement", "is empty")
    read = tuple(_statement(item, where, version == VARIABLES_SINCE) for where, item in positions.items())
    _unique(read)
    for statement in read:
        _of_kind(statement, kind)
    return Policy(version, _text(top.get("Id", ""), "Id"), read)


def _statement(written: Any, where: str, has_variables: bool) -> Statement:
    body = _object(written, where, _ELEMENTS)
    effect = body.get("Effect")
    if effect not in ("Allow", "Deny"):
        raise Malformed(
            f"{where}.Effect", "is missing" if effect is None else f"{effect!r} is neither 'Allow' nor 'Deny'"
        )
    action, inverted_actions = _either(body, "Action", where)
    resource, inverted_resources = _either(body, "Resource", where)
    principal, inverted_principals = _either(body, "Principal", where)
    if action is None:
        raise Malformed(where, "needs Action or NotAction")
    if resource is None and principal is None:
        raise Malformed(where, "needs Resource (of an identity policy) or Principal (of a resource policy)")
    if inverted_principals and effect == "Allow":
        raise Malformed(f"{where}.NotPrincipal", "goes with Deny only; AWS does not support it with Allow")
    return Statement(
        where=where,
        sid=_text(body.get("Sid", ""), f"{where}.Sid"),
        effect=effect,
        actions=_actions(action, _place(where, "Action", inverted_actions)),
        inverted_actions=inverted_actions,
        resources=None if resource is None else _resources(resource, _place(where, "Resource", inverted_resources), has_variables),
        inverted_resources=inverted_resources,
        principals=None if principal is None else _principals(principal, _place(where, "Principal", inverted_principals)),
        inverted_principals=inverted_principals,
        conditions=_conditions(body.get("Condition", {}), f"{where}.Condition", has_variables),
    )  # fmt: skip


def _place(where: str, element: str, inverted: bool) -> str:
    return f"{where}.{'Not' if inverted else ''}{element}"


def _either(body: Mapping[str, Any], element: str, where: str) -> tuple[Any, bool]:
    """Return the value of `element` or of its Not form, and whether it was the latter."""
    inverse = f"Not{element}"
    if element in body and inverse in body:
        raise Malformed(where, f"has both {element} and {inverse}")
    found = body.get(element, body.get(inverse))
    if found is None and (element in body or inverse in body):
        raise Malformed(f"{where}.{element if element in body else inverse}", "is empty")
    return found, inverse in body


def _actions(written: Any, where: str) -> Patterns:
    texts = _texts(written, where)
    for text in texts:
        if not _ACTION.fullmatch(text.value):
            raise Malformed(
                text.where, f"'{text.value}' is no action, as in secretsmanager:GetSecretValue, iam:Get* or *"
            )
    return patterns(texts, Reading(Style.TEXT, ignore_case=True))


def _resources(written: Any, where: str, has_variables: bool) -> Patterns:
    texts = _texts(written, where)
    for text in texts:
        if not _RESOURCE.fullmatch(text.value):
            raise Malformed(
                text.where,
                f"'{text.value}' is neither '*' nor an ARN: arn:partition:service:region:account:resource",
            )
        if has_variables:
            _late_variables(text)
    return patterns(texts, Reading(Style.RESOURCE, variables=has_variables))


def _late_variables(text: Text) -> None:
    """Refuse a variable before the fifth colon: only the resource part of an ARN may have one."""
    colons = 0
    for token in variables.read(text.value, text.where, variables=True, wildcards=True):
        if isinstance(token, Variable) and colons < ARN_SEGMENTS - 1:
            raise Malformed(text.where, "a variable may stand only after the fifth colon of an ARN")
        colons += token.count(":") if isinstance(token, str) else 0


def _principals(written: Any, where: str) -> Principals:
    if isinstance(written, str):
        if written != "*":
            raise Malformed(
                where, f"""'{written}' needs its type, as in {{"AWS": "{written}"}}; only '*' stands alone"""
            )
        return principals(True, {})
    values = _object(written, where, TYPES)
    if not values:
        raise Malformed(where, "names nobody")
    return principals(False, {kind: _texts(value, f"{where}.{kind}") for kind, value in values.items()})


def _conditions(written: Any, where: str, has_variables: bool) -> tuple[Condition, ...]:
    return tuple(
        condition(
            f"{where}.{operator}",
            operator,
            Text(f"{where}.{operator}.{key}", key),
            _values(values, f"{where}.{operator}.{key}"),
            variables=has_variables,
        )
        for operator, keys in _object(written, where).items()
        for key, values in _object(keys, f"{where}.{operator}").items()
    )


def _values(written: Any, where: str) -> tuple[Text, ...]:
    """Read condition values: JSON's numbers and booleans count as their texts, and the list may be empty."""
    items = written if isinstance(written, list | tuple) else [written]
    return tuple(
        Text(place, _scalar(item, place))
        for place, item in ((_index(where, written, index), item) for index, item in enumerate(items))
    )


def _scalar(item: Any, where: str) -> str:
    if isinstance(item, bool):
        return str(item).lower()
    if isinstance(item, int | float):
        return str(item)
    return _text(item, where)


def _texts(written: Any, where: str) -> tuple[Text, ...]:
    items = written if isinstance(written, list | tuple) else [written]
    if not items:
        raise Malformed(where, "is empty")
    return tuple(
        Text(place, _filled(item, place))
        for place, item in ((_index(where, written, index), item) for index, item in enumerate(items))
    )


def _index(where: str, written: Any, index: int) -> str:
    return f"{where}[{index}]" if isinstance(written, list | tuple) else where


def _filled(item: Any, where: str) -> str:
    text = _text(item, where)
    if not text:
        raise Malformed(where, "is empty")
    return text


def _text(item: Any, where: str) -> str:
    if not isinstance(item, str):
        raise Malformed(where, f"a string is wanted, not {type(item).__name__}")
    return item


def _object(written: Any, where: str, known: Sequence[str] | None = None) -> Mapping[str, Any]:
    """Check that `written` is an object with string keys, and that each is in `known`."""
    if not isinstance(written, Mapping):
        raise Malformed(where, f"an object is wanted, not {type(written).__name__}")
    for name in written:
        if not isinstance(name, str):
            raise Malformed(where, f"the name {name!r} is no string")
        if known is not None and name not in known:
            place = name if where == "document" else f"{where}.{name}"
            raise Malformed(place, f"unknown element{hint(name, known)}")
    return written


def _unique(statements: Sequence[Statement]) -> None:
    seen: dict[str, str] = {}
    for statement in statements:
        if statement.sid and statement.sid in seen:
            raise Malformed(
                f"{statement.where}.Sid", f"'{statement.sid}' is the Sid of {seen[statement.sid]} too"
            )
        seen[statement.sid] = statement.where


def _of_kind(statement: Statement, kind: Kind | None) -> None:
    where = statement.where
    if kind == "identity":
        if statement.principals is not None:
            raise Malformed(
                where, "an identity policy names no Principal: it belongs to whom it is attached to"
            )
    elif kind is not None and statement.principals is None:
        raise Malformed(where, f"a {kind} policy needs Principal")
    if kind == "trust":
        _of_trust(statement)


def _of_trust(statement: Statement) -> None:
    where = statement.where
    if statement.resources is not None:
        raise Malformed(where, "a trust policy names no Resource: it is about its own role")
    if statement.inverted_principals:
        raise Malformed(f"{where}.NotPrincipal", "is not allowed in a trust policy")
    if statement.inverted_actions or any(
        not text.lower().startswith("sts:") for text in statement.actions.texts
    ):
        raise Malformed(
            where, "a trust policy may specify only actions of sts, such as sts:AssumeRoleWithWebIdentity"
        )
