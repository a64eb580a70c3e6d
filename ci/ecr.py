"""Log in to ECR: a token from GetAuthorizationToken, good for the whole registry and for 12 hours."""

import base64
from collections.abc import Callable
from typing import Any

from ci.oci import Credentials, Login
from ci.problem import Problem


def login(client: Callable[[], Any]) -> Login:
    """Return what gets a login when the registry asks for one; `client` makes a boto3 client of ECR."""
    return lambda: credentials(client())


def credentials(ecr: Any) -> Credentials:
    """Return a login for the registry of the account that the client belongs to."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        answer = ecr.get_authorization_token()
    except (BotoCoreError, ClientError) as error:
        raise Problem(
            f"no login to the registry: {error}", fix="invoke bootstrap, or check the credentials for AWS"
        ) from error
    (found,) = answer["authorizationData"]
    user, _, password = base64.b64decode(found["authorizationToken"]).decode().partition(":")
    return Credentials(user, password)
