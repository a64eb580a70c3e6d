"""Dynamic references, {{resolve:secretsmanager:...}}: read when a resource is made, never kept."""

import json
import re
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from .fault import Failure

REFERENCE = re.compile(r"\{\{resolve:([a-z-]+):([^}]*)\}\}")
ARN_PARTS = 7


def filled(node: Any, client: Callable[[str], Any]) -> Any:
    """Return `node` with every dynamic reference replaced by what it points at."""
    if isinstance(node, dict):
        return {key: filled(value, client) for key, value in node.items()}
    if isinstance(node, list):
        return [filled(value, client) for value in node]
    if isinstance(node, str) and "{{resolve:" in node:
        return REFERENCE.sub(lambda match: _value(match[1], match[2], client), node)
    return node


def _value(service: str, key: str, client: Callable[[str], Any]) -> str:
    if service != "secretsmanager":
        raise Failure(f"Dynamic references to {service} are not supported by Slipway's stand-in")
    parts = key.split(":")
    count = ARN_PARTS if parts[0] == "arn" else 1
    secret, rest = ":".join(parts[:count]), [*parts[count:], "", "", "", ""]
    kind, field, stage, version = rest[:4]
    if kind not in ("", "SecretString"):
        raise Failure(
            f"Invalid dynamic reference: {{{{resolve:{service}:{key}}}}} asks for {kind}, not SecretString"
        )
    wanted = {"SecretId": secret, "VersionStage": stage, "VersionId": version}
    try:
        text: str = client(service).get_secret_value(
            **{name: value for name, value in wanted.items() if value}
        )["SecretString"]
    except ClientError as error:
        raise Failure(f"{error.response['Error']['Message']} (dynamic reference to {secret})") from None
    if not field:
        return text
    try:
        return str(json.loads(text)[field])
    except (ValueError, TypeError, KeyError):
        raise Failure(
            f"Could not find a value associated with JSONKey in SecretString (key {field} of {secret})"
        ) from None
