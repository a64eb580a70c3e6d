"""Short ways to write the documents that the tests are about."""

from typing import Any

from policies.iam import Decision, Policy, Request, decide, parse
from policies.iam.variables import Context

SECRET = "arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:database-secrets-AbCdEf"
ROLE = "arn:aws:iam::123456789012:role/role-github"


def statement(effect: str = "Allow", **elements: Any) -> dict[str, Any]:
    """Return a statement of an identity policy about everything, but for `elements`; None drops one."""
    body = {"Effect": effect, "Action": "*", "Resource": "*", **elements}
    if "NotAction" in elements:
        del body["Action"]
    if "NotResource" in elements:
        del body["Resource"]
    return {name: value for name, value in body.items() if value is not None}


def policy(*statements: dict[str, Any], version: str = "2012-10-17") -> Policy:
    return parse({"Version": version, "Statement": list(statements)})


def ask(
    given: Policy, action: str = "secretsmanager:GetSecretValue", resource: str = SECRET, **context: Any
) -> Decision:
    """Ask one identity policy; context keys as keyword arguments named by `__` for the colon."""
    keys = {key.replace("__", ":"): values for key, values in context.items()}
    return decide(Request(action, resource, keys), identity=[given])


def under(condition: dict[str, Any], context: Context, version: str = "2012-10-17") -> bool:
    """Return whether an Allow with `condition` applies in `context`."""
    given = policy(statement(Condition=condition), version=version)
    return decide(Request("s3:GetObject", "arn:aws:s3:::b/k", context), identity=[given]).allowed
