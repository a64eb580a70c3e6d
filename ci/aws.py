"""Sessions with AWS, or with its stand-in on this machine, and AWS's refusals in two lines."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ci.local import aws as standin
from ci.problem import Problem
from ci.settings import Settings, Wiring

Clients = Callable[[str], Any]
"""Gives a boto3 client by the name of its service."""


def clients(settings: Settings, place: Wiring, stand_in: bool = False) -> Clients:
    """Return clients for an environment's account and region.

    `local` lives in the stand-in. `production` takes boto3's usual chain of credentials, or with `stand_in` the
    operator of its account there.
    """
    import boto3
    from botocore.config import Config

    if place.environment == "local" or stand_in:
        who = standin.known_operator(settings, place.account)
        session = boto3.Session(who.access_key, who.secret_key, region_name=place.region)
        url = standin.endpoint(settings)
        config = Config(retries={"mode": "standard", "max_attempts": 2}, connect_timeout=5)
        return lambda service: session.client(service, endpoint_url=url, config=config)
    with explained(place, stand_in):
        session = boto3.Session(region_name=place.region)
    # Change sets of seven stacks in a row meet CloudFormation's rate limit.
    config = Config(retries={"mode": "adaptive", "max_attempts": 8}, connect_timeout=10)
    return lambda service: session.client(service, config=config)


def check_account(make: Clients, place: Wiring) -> None:
    """Refuse credentials of another account than the wiring file names, before anything is changed there."""
    found = make("sts").get_caller_identity()["Account"]
    if found != place.account:
        raise Problem(
            f"these credentials are of account {found}; {place.environment} is {place.account}",
            fix=f"use the other account's, or correct gitops/wiring/{place.environment}/wiring.yaml",
        )


@contextmanager
def explained(place: Wiring, stand_in: bool) -> Iterator[None]:
    """Turn what boto3 raises into a Problem; `place` and `stand_in` say where it was called."""
    from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, NoCredentialsError

    local = place.environment == "local" or stand_in
    try:
        yield
    except EndpointConnectionError as error:
        fix = "invoke bootstrap starts it" if local else "check the network and the region"
        what = "the stand-in for AWS" if local else "AWS"
        raise Problem(f"{what} does not answer: {error}", fix=fix) from None
    except NoCredentialsError:
        raise Problem(
            "there are no credentials for AWS", fix="aws sso login, or set AWS_PROFILE, then run it again"
        ) from None
    except ClientError as error:
        said = error.response["Error"]
        code, words = said.get("Code", "?"), " ".join(said.get("Message", "").split())
        raise Problem(f"AWS refuses {error.operation_name}: {code}: {words}", fix=_remedy(code)) from None
    except BotoCoreError as error:
        raise Problem(f"AWS cannot be called: {error}", fix="check AWS_PROFILE and the network") from None


def _remedy(code: str) -> str:
    if "Expired" in code:
        return "log in again (aws sso login), then run the same command again"
    if "AccessDenied" in code or "Unauthorized" in code or "NotAuthorized" in code:
        return "use credentials that may do it, then run the same command again"
    return "correct it, then run the same command again: it goes on from here"
