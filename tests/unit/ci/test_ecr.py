import base64
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from ci.ecr import credentials, login
from ci.problem import Problem


class Client:
    """ECR's one call, answering or failing."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    def get_authorization_token(self) -> dict[str, Any]:
        if self.error is not None:
            raise self.error
        token = base64.b64encode(b"AWS:pass:word").decode()
        return {"authorizationData": [{"authorizationToken": token}]}


def test_the_token_is_user_and_password() -> None:
    found = credentials(Client())
    assert (found.user, found.password) == ("AWS", "pass:word")


def test_no_client_is_made_before_a_login_is_wanted() -> None:
    made: list[Client] = []

    def make() -> Client:
        made.append(Client())
        return made[-1]

    wanted = login(make)
    assert made == []
    assert wanted().password == "pass:word"
    assert len(made) == 1


def test_a_failure_is_a_problem() -> None:
    with pytest.raises(Problem, match="no login to the registry: Could not connect"):
        credentials(Client(EndpointConnectionError(endpoint_url="http://127.0.0.1:1")))
