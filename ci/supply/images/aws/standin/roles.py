"""What moto's IAM knows: roles with their policies, and identity providers."""

import json
import urllib.parse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from moto.iam.models import IAMBackend, iam_backends

from policies.iam import Malformed, Policy, parse

from .fault import Fault


@dataclass(frozen=True, slots=True)
class Role:
    """A role with its parsed policies; `boundary` is None for a role without one. Seconds."""

    arn: str
    id: str
    longest_session: int
    trust: Policy
    identity: tuple[Policy, ...]
    boundary: tuple[Policy, ...] | None


@dataclass(frozen=True, slots=True)
class Provider:
    """An OIDC provider of an account; `name` is the issuer without its scheme."""

    arn: str
    name: str
    audiences: tuple[str, ...]


def role(account: str, arn: str) -> Role | None:
    """Return the role with this ARN as it is now, None where the account has none."""
    backend = _backend(account)
    found = next((one for one in backend.roles.values() if one.arn == arn), None)
    if found is None:
        return None
    inline = [_document(text) for text in found.policies.values()]
    attached = [_document(policy_text(policy)) for policy in found.managed_policies.values()]
    limit = found.permissions_boundary_arn
    return Role(
        arn=found.arn,
        id=found.id,
        longest_session=int(found.max_session_duration or 3600),
        trust=_document(found.assume_role_policy_document),
        identity=(*inline, *attached),
        boundary=None if limit is None else _boundary(backend, limit),
    )


def provider(account: str, issuer: str) -> Provider | None:
    """Return the provider of an account that stands for `issuer` (an https URL), None without one."""
    name = issuer.removeprefix("https://").rstrip("/")
    for found in _backend(account).open_id_providers.values():
        if found.url.rstrip("/") == name:
            return Provider(found.arn, name, tuple(found.client_id_list))
    return None


def session_policies(account: str, documents: Sequence[str], arns: Sequence[str]) -> list[str] | None:
    """Return the documents of a session's policies, given and named; None where there are none.

    One that cannot be read is a Fault, as in AWS.
    """
    found = list(documents)
    for arn in arns:
        policy = _backend(account).managed_policies.get(arn)
        if policy is None:
            raise Fault("InvalidParameterValue", f"PolicyArns contains {arn}, which does not exist")
        found.append(policy_text(policy))
    for text in found:
        try:
            parse(json.loads(text))
        except (ValueError, Malformed) as error:
            raise Fault("MalformedPolicyDocument", str(error)) from error
    return found or None


def parsed(texts: Sequence[str]) -> tuple[Policy, ...]:
    """Parse policy documents that were accepted before."""
    return tuple(_document(text) for text in texts)


def policy_text(policy: Any) -> str:
    """Return the document of a managed policy in its default version."""
    return str(next(v.document for v in policy.versions if v.version_id == policy.default_version_id))


def _backend(account: str) -> IAMBackend:
    return iam_backends[account]["aws"]


def _boundary(backend: IAMBackend, arn: str) -> tuple[Policy, ...]:
    policy = backend.managed_policies.get(arn)
    return () if policy is None else (_document(policy_text(policy)),)  # one that was deleted allows nothing


def _document(document: Any) -> Policy:
    """Parse what moto keeps: text, percent-encoded in some places, or the object itself."""
    try:
        if not isinstance(document, str):
            return parse(document)
        text = document if document.lstrip().startswith("{") else urllib.parse.unquote(document)
        return parse(json.loads(text))
    except (ValueError, Malformed) as error:  # moto takes documents that IAM would not have taken
        raise Fault("MalformedPolicyDocument", str(error)) from error
