"""A Kubernetes ServiceAccount as STS sees it, and the others that are not it.

EKS and kind issue the same token: subject `system:serviceaccount:NAMESPACE:NAME`, audience sts.amazonaws.com.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from policies.iam.callers import Caller, outsiders
from policies.iam.trust import AUDIENCE, GITHUB, provider_arn, web_identity


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """One ServiceAccount of the cluster whose issuer is `issuer` (with or without https://)."""

    namespace: str
    name: str
    issuer: str

    @property
    def subject(self) -> str:
        """Return the subject of its tokens."""
        return f"system:serviceaccount:{self.namespace}:{self.name}"


def rightful(account: ServiceAccount, role: str) -> tuple[Caller, ...]:
    """Return who must be let in: exactly this ServiceAccount."""
    return (_token("itself", f"ServiceAccount {account.namespace}/{account.name}", account, role),)


def adversaries(account: ServiceAccount, role: str) -> tuple[Caller, ...]:
    """Return who must not be let in."""
    return (
        *(_token(label, who, other, role) for label, who, other in _others(account)),
        *_wrong_tokens(account, role),
        *_other_issuers(account, role),
        *outsiders(role),
    )


def _others(account: ServiceAccount) -> Iterator[tuple[str, str, ServiceAccount]]:
    namespace, name, issuer = account.namespace, account.name, account.issuer
    for label, other in (
        ("default-account", "default" if name != "default" else "builder"),
        ("name-suffix", f"{name}-2"),
        ("name-prefix", f"x-{name}"),
        ("name-typo", f"{name[:-1]}{'b' if name[-1] == 'a' else 'a'}"),
        ("name-case", name.upper()),
        ("name-longer", f"{name}x"),
    ):
        yield label, f"ServiceAccount {namespace}/{other}", ServiceAccount(namespace, other, issuer)
    for label, other in (
        ("other-namespace", "default" if namespace != "default" else "main"),
        ("namespace-suffix", f"{namespace}-evil"),
        ("namespace-prefix", f"evil-{namespace}"),
        ("system-namespace", "kube-system" if namespace != "kube-system" else "kube-public"),
    ):
        yield label, f"ServiceAccount {other}/{name}", ServiceAccount(other, name, issuer)
    yield "any", "any ServiceAccount", ServiceAccount("elsewhere", "anyone", issuer)


def _wrong_tokens(account: ServiceAccount, role: str) -> Iterator[Caller]:
    provider = _provider(account, role)
    right = {"aud": AUDIENCE, "sub": account.subject}
    anyone = "system:serviceaccount:elsewhere:anyone"
    for label, who, claims in (
        ("no-audience", "its token for no audience", {"sub": account.subject}),
        ("cluster-audience", "its token for the cluster's own API", {**right, "aud": "https://kubernetes.default.svc"}),
        ("other-audience", "its token for another service", {**right, "aud": "vault"}),
        ("no-subject", "a token without subject", {"aud": AUDIENCE}),
        ("empty-subject", "a token with an empty subject", {"aud": AUDIENCE, "sub": ""}),
        ("neither", "a token without claims", {}),
        ("anyone-no-audience", "any ServiceAccount's token for no audience", {"sub": anyone}),
        ("node", "a node of the cluster", {**right, "sub": "system:node:ip-10-0-0-1"}),
    ):  # fmt: skip
        yield Caller(label, who, web_identity(role, provider, claims))


def _other_issuers(account: ServiceAccount, role: str) -> Iterator[Caller]:
    owner = role.split(":")[4]
    claims = {"aud": AUDIENCE, "sub": account.subject}
    host, _, cluster = account.issuer.removeprefix("https://").rpartition("/")
    for label, who, provider in (
        ("other-cluster", "the same ServiceAccount of another cluster", provider_arn(owner, f"{host}/{_other(cluster)}")),
        ("cluster-suffix", "the same ServiceAccount of a cluster whose id begins alike", provider_arn(owner, f"{account.issuer}0")),
        ("github", "a workflow of GitHub that claims its subject", provider_arn(owner, GITHUB)),
    ):  # fmt: skip
        yield Caller(label, who, web_identity(role, provider, claims))


def _other(cluster: str) -> str:
    return cluster[::-1] if cluster != cluster[::-1] else f"0{cluster[1:]}"


def _token(label: str, who: str, account: ServiceAccount, role: str) -> Caller:
    claims = {"aud": AUDIENCE, "sub": account.subject}
    return Caller(label, who, web_identity(role, _provider(account, role), claims))


def _provider(account: ServiceAccount, role: str) -> str:
    return provider_arn(role.split(":")[4], account.issuer)
