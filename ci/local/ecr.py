"""ECR's front door: nginx before the registry, which lets in only whom the stand-in for AWS knows."""

import httpx

from ci import supply
from ci.local import aws, container
from ci.local.container import Probe, Service
from ci.oci import Credentials
from ci.progress import Step
from ci.settings import Settings

ALIAS = "slipway-registry"
PORT = 5000


def ensure(settings: Settings, step: Step | None = None) -> None:
    """Have the front answering at settings.push_registry and, in the network, at ALIAS:PORT.

    It answers only when the registry behind it and the stand-in for AWS do.
    """
    probe = _probe(f"http://{settings.push_registry}/v2/", aws.registry_login(settings, "node"))
    container.ensure(settings, service(settings), probe, step=step)


def service(settings: Settings) -> Service:
    """Describe the container."""
    return Service(
        role="ecr",
        image=supply.image(settings, "ecr"),
        alias=ALIAS,
        port=(settings.registry_port, PORT),
        back="too",
    )


def _probe(url: str, login: Credentials) -> Probe:
    def probe() -> str | None:
        try:
            answer = httpx.get(url, headers={"Authorization": login.header}, timeout=5, trust_env=False)
        except httpx.HTTPError as error:
            return f"{url}: {error or type(error).__name__}"
        return None if answer.status_code == 200 else f"{url} answers {answer.status_code}"

    return probe
