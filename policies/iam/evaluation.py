"""Decide one request, as AWS does within one partition and without organisations' own policies.

Source: IAM User Guide, "Policy evaluation logic" and "Cross-account policy evaluation logic".
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from policies.iam.conditions import Condition
from policies.iam.document import Policy, Statement
from policies.iam.principals import Grant, account

NEEDS_RESOURCE_POLICY = ("sts:assumerole", "sts:tagsession", "sts:setsourceidentity", "kms:")
"""Actions (prefixes, lower case) that the trust or key policy itself must allow, whatever identity policies say."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked: an action on a resource, by `principal`, in a context of condition keys.

    Condition keys may be written in any case and are kept in lower case. A principal of AWS is given with every
    ARN that it goes by, the session's and the role's; an empty principal is anonymous.
    """

    action: str
    resource: str
    context: Mapping[str, tuple[str, ...]]
    principal: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, mapping in (("context", self.context), ("principal", self.principal)):
            for key, values in mapping.items():
                if isinstance(values, str):
                    # A bare string would be taken for a tuple of its characters.
                    raise TypeError(f"{name}[{key!r}] must be a tuple of strings")
        if any(key != key.lower() for key in self.context):
            lower = {key.lower(): values for key, values in self.context.items()}
            object.__setattr__(self, "context", lower)


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict, the statement that brought it about (None where none did), and the reason in words."""

    allowed: bool
    effect: Literal["Allow", "Deny", "ImplicitDeny"]
    statement: Statement | None
    why: str


class _Found(NamedTuple):
    """A statement that applies, where it is, and how directly it names the caller."""

    statement: Statement
    where: str
    grant: Grant


@dataclass(frozen=True, slots=True)
class _Layers:
    """The policies of one decision by the role they play."""

    identity: Sequence[Policy]
    resource: Sequence[Policy]
    boundary: Sequence[Policy] | None
    session: Sequence[Policy] | None


def decide(
    request: Request,
    identity: Sequence[Policy] = (),
    resource: Sequence[Policy] = (),
    boundary: Sequence[Policy] | None = None,
    session: Sequence[Policy] | None = None,
) -> Decision:
    """Return whether `request` is allowed.

    `identity` are the caller's own policies, `resource` those of what is asked for (a trust policy is its
    role's). `boundary` and `session` limit the caller's own, None meaning that there is none; an empty sequence
    allows nothing.

    Without resource policies the caller's own are enough, so that static questions can be asked of one role by
    itself; a caller whose account is known and differs from the resource's always needs both.
    """
    layers = _Layers(identity, resource, boundary, session)
    denied = _explicit_deny(request, layers)
    if denied is not None:
        return Decision(False, "Deny", denied.statement, f"{denied.where} denies {_asked(request)}")
    return _combined(request, layers, _named(request, resource))


def _combined(request: Request, layers: _Layers, named: _Found | None) -> Decision:
    """Put together what the caller's own policies, their limits and the resource's policies (`named`) say."""
    own = _first(request, layers.identity, "identity")
    grant = Grant.NONE if named is None else named.grant
    crossing = _crosses_accounts(request)
    if named is None and (crossing or (layers.resource and _must_name(request))):
        why = f"the resource's policies do not allow {_asked(request)}"
        return _implicit(why, request, layers.resource, "resource")
    if named is not None and grant is Grant.DIRECT and not crossing:
        return _allow(request, named)
    if own is None and (grant < Grant.ROLE or crossing):
        return _implicit(f"no identity policy allows {_asked(request)}", request, layers.identity, "identity")
    for name, limit in (("boundary", layers.boundary), ("session", layers.session)):
        if limit is not None and _first(request, limit, name) is None:
            return _implicit(f"the {name} policies do not allow {_asked(request)}", request, limit, name)
    found = own or named
    assert found is not None
    return _allow(request, found)


def _allow(request: Request, found: _Found) -> Decision:
    return Decision(True, "Allow", found.statement, f"{found.where} allows {_asked(request)}")


def _explicit_deny(request: Request, layers: _Layers) -> _Found | None:
    """Return a Deny that applies. One that its kind of policy may not hold still denies: fail closed."""
    for name, policies in (
        ("identity", layers.identity),
        ("resource", layers.resource),
        ("boundary", layers.boundary or ()),
        ("session", layers.session or ()),
    ):
        for index, policy in enumerate(policies):
            for statement in policy.denies:
                if (
                    statement.covers(request.action, request.resource, request.context)
                    and (name != "resource" or _is_meant(statement, request, layers))
                    and statement.failing(request.context) is None
                ):
                    return _Found(statement, _place(name, index, statement), Grant.NONE)
    return None


def _is_meant(statement: Statement, request: Request, layers: _Layers) -> bool:
    """Return whether a Deny of a resource policy is about this caller."""
    if statement.principals is None:
        return True
    if not statement.inverted_principals:
        return statement.principals.grant(request.principal) > Grant.NONE
    # AWS: NotPrincipal with Deny always denies a principal that has a permissions boundary.
    bounded = layers.boundary is not None and bool(request.principal.get("AWS"))
    return bounded or not statement.principals.exempts(request.principal)


def _named(request: Request, policies: Sequence[Policy]) -> _Found | None:
    """Return the resource policies' Allow that names the caller most directly."""
    best: _Found | None = None
    for index, statement in _allows(policies):
        if statement.principals is None or not statement.covers(
            request.action, request.resource, request.context
        ):
            continue
        grant = statement.principals.grant(request.principal)
        if grant > (best.grant if best else Grant.NONE) and statement.failing(request.context) is None:
            best = _Found(statement, _place("resource", index, statement), grant)
            if grant is Grant.DIRECT:
                break
    return best


def _first(request: Request, policies: Sequence[Policy], name: str) -> _Found | None:
    """Return the first Allow of the caller's own policies that applies."""
    for index, statement in _allows(policies):
        if (
            _is_own(statement)
            and statement.covers(request.action, request.resource, request.context)
            and statement.failing(request.context) is None
        ):
            return _Found(statement, _place(name, index, statement), Grant.NONE)
    return None


def _is_own(statement: Statement) -> bool:
    """Return whether a statement has an identity policy's shape; no other Allow counts there."""
    return statement.principals is None and statement.resources is not None


def _allows(policies: Sequence[Policy]) -> Iterator[tuple[int, Statement]]:
    for index, policy in enumerate(policies):
        for statement in policy.allows:
            yield index, statement


def _place(name: str, index: int, statement: Statement) -> str:
    return f"{name}[{index}].{statement.where}"


def _crosses_accounts(request: Request) -> bool:
    owner = account(request.resource)
    return bool(owner) and any(account(arn) != owner for arn in request.principal.get("AWS", ()))


def _must_name(request: Request) -> bool:
    return request.action.lower().startswith(NEEDS_RESOURCE_POLICY)


def _implicit(why: str, request: Request, policies: Sequence[Policy], name: str) -> Decision:
    """Return an implicit deny whose reason names the statement that came nearest, if one did."""
    near = _nearest(request, policies, name)
    return Decision(False, "ImplicitDeny", None, f"{why}: {near}" if near else why)


def _nearest(request: Request, policies: Sequence[Policy], name: str) -> str:
    """Say what keeps the first Allow of this action and resource from applying."""
    for index, statement in _allows(policies):
        if not statement.covers(request.action, request.resource, request.context):
            continue
        where = _place(name, index, statement)
        if name == "resource" and not (
            statement.principals and statement.principals.grant(request.principal)
        ):
            return f"{where} names another principal"
        failing = statement.failing(request.context)
        if failing is not None:
            return _unmet(where, failing, request)
    return ""


def _unmet(where: str, failing: Condition, request: Request) -> str:
    values = request.context.get(failing.key)
    found = "absent" if values is None else ", ".join(map(repr, values)) or "empty"
    return f"{where} wants {failing.operator} {failing.key} {', '.join(map(repr, failing.values))}, which is {found}"


def _asked(request: Request) -> str:
    return f"{request.action} on {request.resource}"
