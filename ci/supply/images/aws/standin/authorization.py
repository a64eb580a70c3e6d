"""Whether a principal may do something: the one place that asks the IAM evaluator."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from policies.iam import Policy, Request, decide, parse

from . import roles
from .fault import Fault
from .principals import Operator, Principal, RoleSession
from .resources import Target

_EVERYTHING = parse(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a principal is held to; None stands for a limit that is not set."""

    identity: tuple[Policy, ...]
    boundary: tuple[Policy, ...] | None
    session: tuple[Policy, ...] | None


def check(principal: Principal, targets: Sequence[Target], context: Mapping[str, tuple[str, ...]]) -> None:
    """Refuse, in AWS's words, what the principal may not do; operators may do all in their account."""
    if isinstance(principal, Operator):
        return
    for target in targets:
        refuse(principal, target, context)


def allows(principal: Principal, target: Target, context: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether the principal may do this one thing."""
    try:
        check(principal, [target], context)
    except Fault:
        return False
    return True


def refuse(principal: RoleSession, target: Target, context: Mapping[str, tuple[str, ...]]) -> None:
    """Raise AccessDenied unless the session's role allows the target."""
    own = limits(principal)
    request = Request(
        target.action, target.resource, {**context, **target.context}, {"AWS": names(principal)}
    )
    if not decide(request, own.identity, (), own.boundary, own.session).allowed:
        raise denied(principal, target.action, target.resource, _why(request, own))


def limits(principal: Principal) -> Limits:
    """Return the policies that a principal is held to, as they are now."""
    if isinstance(principal, Operator):
        return Limits((_EVERYTHING,), None, None)
    role = roles.role(principal.account, principal.role_arn)
    session = None if principal.policies is None else roles.parsed(principal.policies)
    if role is None or role.id != principal.role_id:  # deleted, perhaps made anew: its sessions are void
        return Limits((), None, session)
    return Limits(role.identity, role.boundary, session)


def names(principal: Principal) -> tuple[str, ...]:
    """Return every ARN that a principal goes by."""
    return (principal.arn,) if isinstance(principal, Operator) else (principal.arn, principal.role_arn)


def denied(principal: Principal, action: str, resource: str, why: str = "") -> Fault:
    """Return AWS's refusal of an action; `why` says which kind of policy is the reason."""
    reason = why or f"because no identity-based policy allows the {action} action"
    words = f"User: {principal.arn} is not authorized to perform: {action} on resource: {resource} {reason}"
    return Fault("AccessDenied", words, 0)


def _why(request: Request, own: Limits) -> str:
    """Name the kind of policy that denies, or else the first that does not allow."""
    kinds = {"identity-based policy": own.identity, "permissions boundary": own.boundary,
             "session policy": own.session}  # fmt: skip
    effects = {kind: decide(request, found).effect for kind, found in kinds.items() if found is not None}
    for kind, effect in effects.items():
        if effect == "Deny":
            return f"with an explicit deny in {'an' if kind[0] == 'i' else 'a'} {kind}"
    for kind, effect in effects.items():
        if effect != "Allow":
            return f"because no {kind} allows the {request.action} action"
    return ""
