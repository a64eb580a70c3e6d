"""ECR's GetAuthorizationToken, in place of moto's, whose token is always the same and has long expired."""

import base64
import datetime as dt
from typing import Any

from .faults import Faults
from .principals import Principal
from .state import State


def authorization_token(state: State, faults: Faults, caller: Principal, region: str) -> dict[str, Any]:
    """Give out a registry login for the caller's own account, with the rights of the caller."""
    password, expires = state.open_login(caller, region, faults.settings.ecr_token_seconds)
    return {
        "authorizationData": [
            {
                "authorizationToken": base64.b64encode(f"AWS:{password}".encode()).decode(),
                "expiresAt": dt.datetime.fromtimestamp(int(expires), dt.UTC),
                "proxyEndpoint": f"https://{caller.account}.dkr.ecr.{region}.amazonaws.com",
            }
        ]
    }
