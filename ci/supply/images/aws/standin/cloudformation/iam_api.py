"""What moto's IAM lacks: AWS's own policies, and clients that come to an OIDC provider or leave it."""

import os
from typing import Any

from moto.core.responses import EmptyResult
from moto.iam.responses import IamResponse


def _clients(response: IamResponse) -> tuple[list[str], str]:
    provider = response.backend.get_open_id_connect_provider(response._get_param("OpenIDConnectProviderArn"))  # noqa: SLF001 - a method of the class in all but place
    return provider.client_id_list, response._get_param("ClientID")  # noqa: SLF001 - as above


def _add(response: IamResponse) -> Any:
    clients, client = _clients(response)
    if client not in clients:
        clients.append(client)
    return EmptyResult()


def _remove(response: IamResponse) -> Any:
    clients, client = _clients(response)
    if client in clients:
        clients.remove(client)
    return EmptyResult()


def install() -> None:
    """Put this into moto; before it reads its policies."""
    # So that a role can attach AWS's own policies, and none that AWS does not have.
    os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
    methods = {
        "add_client_id_to_open_id_connect_provider": _add,
        "remove_client_id_from_open_id_connect_provider": _remove,
    }
    for name, method in methods.items():
        setattr(IamResponse, name, method)
