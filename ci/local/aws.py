"""The stand-in for AWS: its container, who its operators are, and what bootstrap tells it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from ci import supply
from ci.cluster import Cluster
from ci.local import container, secret
from ci.local.container import Service
from ci.oci import Credentials
from ci.problem import Problem
from ci.progress import Step
from ci.settings import ENVIRONMENTS, Settings, wiring

ALIAS = "slipway-aws"
PORT = 4566
_LOGINS = {"node": secret.REGISTRY_NODE, "bootstrap": secret.REGISTRY_BOOTSTRAP}

_DISTRIBUTION = "slipway-distribution:5000"


@dataclass(frozen=True, slots=True)
class Operator:
    """Who may do everything in one account."""

    account: str
    access_key: str
    secret_key: str = field(repr=False)


def endpoint(settings: Settings) -> str:
    """Where it answers on this machine; the cluster reaches it as ALIAS:PORT."""
    return f"http://127.0.0.1:{settings.aws_port}"


def operator(settings: Settings, account: str) -> Operator:
    """Return the operator of `account`; the secret key is made on first use."""
    return Operator(account, f"AKSLIPWAY{account}", secret.value(settings, f"aws-operator-{account}"))


def operators(settings: Settings) -> list[Operator]:
    """Return the operators of every account that the stand-in has."""
    return [operator(settings, wiring(environment).account) for environment in ENVIRONMENTS]


def known_operator(settings: Settings, account: str) -> Operator:
    """Return the operator that bootstrap made; in an environment that is not there, nothing is made."""
    if not (settings.state / "secrets" / f"aws-operator-{account}").exists():
        raise Problem(
            f"there is no environment '{settings.name}' with a stand-in for AWS", fix="invoke bootstrap"
        )
    return operator(settings, account)


def registry_login(settings: Settings, user: str) -> Credentials:
    """Return a static login: `node` pulls anything, `bootstrap` pushes what is not the product's."""
    return Credentials(user, secret.value(settings, _LOGINS[user]))


def client(settings: Settings, service: str, account: str | None = None) -> Any:
    """Return a boto3 client of an operator (default: of the environment's own account)."""
    import boto3
    from botocore.config import Config

    who = known_operator(settings, account or settings.wiring.account)
    session = boto3.Session(who.access_key, who.secret_key, region_name=settings.wiring.region)
    config = Config(retries={"mode": "standard", "total_max_attempts": 3}, connect_timeout=5)
    return session.client(service, endpoint_url=endpoint(settings), config=config)


def ensure(settings: Settings, step: Step | None = None) -> None:
    """Have the stand-in answering; its state is on a volume and outlives the container."""
    probe = container.http_probe(f"{endpoint(settings)}/_slipway/health")
    container.ensure(settings, service(settings), probe, step=step)


def service(settings: Settings) -> Service:
    """Describe the container."""
    logins = {user: registry_login(settings, user).password for user in _LOGINS}
    known = [
        {"account": one.account, "access_key": one.access_key, "secret_key": one.secret_key}
        for one in operators(settings)
    ]
    return Service(
        role="aws",
        image=supply.image(settings, "aws"),
        alias=ALIAS,
        port=(settings.aws_port, PORT),
        volume="/var/lib/slipway-aws",
        files={
            "/run/secrets/operators.json": json.dumps(known),
            "/run/secrets/control": secret.value(settings, secret.AWS_CONTROL),
            "/run/secrets/registry.json": json.dumps(logins),
        },
        env={"DISTRIBUTION": _DISTRIBUTION},
        back="too",
    )


def register_cluster(settings: Settings, cluster: Cluster) -> str:
    """Make the cluster's ServiceAccount tokens verifiable; return their issuer."""
    issuer, jwks = cluster.token_issuer()
    register_issuer(settings, issuer, jwks)
    return issuer


def register_issuer(settings: Settings, issuer: str, jwks: Mapping[str, Any]) -> None:
    """Tell the stand-in the public keys of an issuer, in the place of what it would fetch from there."""
    _put(settings, "issuers", {"issuer": issuer, "jwks": dict(jwks)})


def settle(settings: Settings, **wanted: Any) -> None:
    """Switch faults on for a test (ecr_token_seconds, delay_seconds, fail_status); with none, all off."""
    _put(settings, "settings", wanted)


def _put(settings: Settings, what: str, content: dict[str, Any]) -> None:
    url = f"{endpoint(settings)}/_slipway/{what}"
    headers = {"Authorization": f"Bearer {secret.value(settings, secret.AWS_CONTROL)}"}
    try:
        answer = httpx.put(url, json=content, headers=headers, timeout=10, trust_env=False)
    except httpx.HTTPError as error:
        raise Problem(
            f"the stand-in for AWS does not answer: {error or type(error).__name__}", fix="invoke bootstrap"
        ) from error
    if answer.status_code != 204:
        raise Problem(
            f"the stand-in for AWS refuses {what}: {answer.text[:200]}",
            fix=f"docker logs {settings.container('aws')}",
        )
