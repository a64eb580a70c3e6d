"""Trust policies are resource policies of a role: how those who want to become it are put as a Request.

Sources: IAM User Guide, "Available keys for AWS OIDC federation"; docs of GitHub's and EKS's tokens.
"""

from collections.abc import Mapping, Sequence

from policies.iam.evaluation import Request

WEB_IDENTITY = "sts:AssumeRoleWithWebIdentity"
AUDIENCE = "sts.amazonaws.com"
GITHUB = "token.actions.githubusercontent.com"
"""Host of GitHub's issuer, and so the prefix of its condition keys."""

_CLAIMS = ("aud", "sub", "amr", "oaud")
GITHUB_CLAIMS = (
    "actor", "actor_id", "enterprise_id", "environment", "job_workflow_ref", "ref", "repository",
    "repository_id", "repository_owner", "repository_owner_id", "workflow",
)  # fmt: skip
"""What STS reads from GitHub's tokens beyond the claims of every provider."""

Claim = str | Sequence[str]


def provider_arn(account: str, issuer: str) -> str:
    """Return the ARN of the OIDC provider for `issuer` (with or without https://) in `account`."""
    return f"arn:aws:iam::{account}:oidc-provider/{issuer.removeprefix('https://')}"


def web_identity(role: str, provider: str, claims: Mapping[str, Claim], session: str = "") -> Request:
    """Return the request of a token with `claims`, already verified, that wants to become `role`.

    `role` and `provider` are ARNs. Only claims that STS makes condition keys count, under the issuer's name
    without its scheme; where a token has `azp`, that is the audience and the original becomes `oaud`.
    """
    issuer = provider.partition(":oidc-provider/")[2] or provider
    token = dict(claims)
    if "azp" in token:
        if "aud" in token:
            token["oaud"] = token["aud"]
        token["aud"] = token["azp"]
    read = (*_CLAIMS, *GITHUB_CLAIMS) if issuer == GITHUB else _CLAIMS
    context = {f"{issuer}:{name}": _values(token[name]) for name in read if name in token}
    context["aws:federatedprovider"] = (provider,)
    if session:
        context["sts:rolesessionname"] = (session,)
    return Request(WEB_IDENTITY, role, context, {"Federated": (provider,)})


def role_session(role: str, session: str) -> Mapping[str, tuple[str, ...]]:
    """Return the principal of a session of the role with ARN `role`: the session's ARN and the role's."""
    head, _, path = role.partition(":role/")
    account = head.rpartition(":")[2]
    partition = head.split(":")[1]
    name = path.rpartition("/")[2]
    return {"AWS": (f"arn:{partition}:sts::{account}:assumed-role/{name}/{session}", role)}


def _values(claim: Claim) -> tuple[str, ...]:
    return (claim,) if isinstance(claim, str) else tuple(claim)
