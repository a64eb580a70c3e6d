"""The whole stand-in without a server: boto3 clients whose requests go through the real gate."""

import json
import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore import UNSIGNED
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.core.base_backend import BackendDict
from standin import wire
from standin.__main__ import build
from standin.gate import Gate

from tests.unit.standin.tokens import Issuer

ACCOUNT, OTHER, REGION = "123456789012", "210987654321", "ap-northeast-1"
CONTROL = "control-secret"
SIGNED = {"s3": "s3v4"}
"""Botocore would presign with version 2 for an endpoint of one's own."""
LOGINS = {"node": "node-password", "bootstrap": "bootstrap-password"}

# A thousand policies and images for each test's accounts would take most of the time.
os.environ.update(MOTO_IAM_LOAD_MANAGED_POLICIES="false", MOTO_EC2_LOAD_DEFAULT_AMIS="false")
_SESSION = boto3.Session()
"""Keeps the service models that it has read."""


class _Body:
    def __init__(self, content: bytes) -> None:
        self.content = content

    def stream(self, **_: Any) -> Any:
        yield self.content


class Cloud:
    """`sent` holds the last request, as it went over the wire."""

    def __init__(self, folder: Path) -> None:
        self.secrets, self.state = folder / "secrets", folder / "state"
        self.secrets.mkdir()
        keys = [
            {"account": account, "access_key": f"AKSLIPWAY{account}", "secret_key": f"secret-of-{account}"}
            for account in (ACCOUNT, OTHER)
        ]
        (self.secrets / "operators.json").write_text(json.dumps(keys))
        (self.secrets / "control").write_text(CONTROL)
        (self.secrets / "registry.json").write_text(json.dumps(LOGINS))
        self.gate: Gate
        self.sent: wire.Request

    def start(self) -> None:
        """Start as a new process would: with nothing in memory."""
        self.forget()
        self.gate = build(self.secrets, self.state, "127.0.0.1:9")

    def forget(self) -> None:
        """Empty moto as a new process would be; its own reset would first fill everything anew."""
        known: Any = BackendDict
        for backends in known._instances:
            backends.clear()
        known._instances.clear()

    def client(
        self, service: str, account: str = ACCOUNT, *, key: tuple[str, str, str | None] | None = None,
        region: str = REGION,
    ) -> Any:  # fmt: skip
        """A client of an operator, or of whoever has `key` (access key, secret key, token)."""
        access, secret, token = key or (f"AKSLIPWAY{account}", f"secret-of-{account}", None)
        config = Config(retries={"total_max_attempts": 1}, signature_version=SIGNED.get(service))
        made: Any = _SESSION.client(
            service, region, endpoint_url="http://slipway-aws:4566", config=config,
            aws_access_key_id=access, aws_secret_access_key=secret, aws_session_token=token,
        )  # fmt: skip
        made.meta.events.register("before-send", self.send)
        return made

    def anonymous(self) -> Any:
        """STS without any credentials, as a pod calls it."""
        made = _SESSION.client(
            "sts", REGION, endpoint_url="http://slipway-aws:4566",
            config=Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1}),
        )  # fmt: skip
        made.meta.events.register("before-send", self.send)
        return made

    def send(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        self.sent = plain(request)
        answer = self.gate.answer(wire.read(wire.environment(self.sent)))
        return AWSResponse(request.url, answer.status, dict(answer.headers), _Body(answer.body))

    def put(self, what: str, content: Any, secret: str = CONTROL) -> wire.Response:
        """Speak to the control plane."""
        headers = {"authorization": f"Bearer {secret}"}
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        return self.gate.answer(wire.Request("PUT", f"/_slipway/{what}", headers=headers, body=body))

    def trust(self, issuer: Issuer, audience: str = "sts.amazonaws.com", account: str = ACCOUNT) -> str:
        """Register an issuer, and make it an OIDC provider of an account; return the provider's ARN."""
        assert self.put("issuers", {"issuer": issuer.url, "jwks": issuer.jwks}).status == 204
        made = self.client("iam", account).create_open_id_connect_provider(
            Url=issuer.url, ClientIDList=[audience], ThumbprintList=["0" * 40]
        )
        return str(made["OpenIDConnectProviderArn"])

    def role(
        self, name: str, trust: list[dict[str, Any]], allowed: list[dict[str, Any]] | None = None,
        account: str = ACCOUNT, **more: Any,
    ) -> str:  # fmt: skip
        """Make a role with statements of trust and of permission; return its ARN."""
        iam = self.client("iam", account)
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust), **more)
        if allowed:
            iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=policy(allowed))
        return str(made["Role"]["Arn"])

    def assume(self, arn: str, token: str, name: str = "pod", **more: Any) -> tuple[str, str, str]:
        """Assume a role by a web identity token; return the credentials."""
        answer = self.anonymous().assume_role_with_web_identity(
            RoleArn=arn, RoleSessionName=name, WebIdentityToken=token, **more
        )
        made = answer["Credentials"]
        return made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"]


def plain(request: AWSPreparedRequest) -> wire.Request:
    url = urlsplit(request.url)
    headers = {
        name.lower(): value.decode() if isinstance(value, bytes) else str(value)
        for name, value in request.headers.items()
    }
    headers.setdefault("host", url.netloc)
    body = request.body or b""
    if hasattr(body, "read"):
        body = body.read()
    return wire.Request(
        str(request.method), url.path or "/", url.query, headers,
        body.encode() if isinstance(body, str) else body, "172.18.0.9",
    )  # fmt: skip


def policy(statements: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def federated(provider: str, **equals: str) -> list[dict[str, Any]]:
    """A trust in one provider, with StringEquals on its claims."""
    name = re.sub(r".*oidc-provider/", "", provider)
    conditions = {f"{name}:{claim}": value for claim, value in equals.items()}
    return [
        {
            "Effect": "Allow",
            "Principal": {"Federated": provider},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": conditions},
        }
    ]


def refused(error: ClientError) -> tuple[str, int]:
    """(code, status) of a refusal."""
    return error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]


def words(error: ClientError) -> str:
    return str(error.response["Error"]["Message"])
