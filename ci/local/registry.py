"""The registry behind ECR's front door; it answers for every upstream name too."""

import json

from ci import supply
from ci.local import container, ecr, events, secret
from ci.local.container import Service
from ci.progress import Step
from ci.settings import Settings

ALIAS = "slipway-distribution"
PORT = 5000


def ensure(settings: Settings, step: Step | None = None) -> None:
    """Have the registry and its front answering at settings.push_registry; the stand-in for AWS comes first.

    The registry itself asks nobody for a login, so nothing but its front and the stand-in reaches it.
    """
    container.ensure(settings, service(settings), lambda: None, step=step)
    ecr.ensure(settings, step=step)


def service(settings: Settings) -> Service:
    """Describe the container; Debian's and upstream's image both run this way."""
    return Service(
        role="registry",
        image=supply.image(settings, "registry"),
        alias=ALIAS,
        volume="/var/lib/registry",
        files={"/etc/docker/registry/config.yml": json.dumps(config(settings), indent=1)},
        back="only",
    )


def config(settings: Settings) -> dict[str, object]:
    """Return the registry's configuration (JSON is YAML): every push is told to the events relay."""
    return {
        "version": "0.1",
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": "/var/lib/registry"},
            "delete": {"enabled": True},
            "cache": {"blobdescriptor": "inmemory"},
        },
        "http": {
            "addr": f":{PORT}",
            "secret": secret.value(settings, secret.REGISTRY_UPLOADS),
            "headers": {"X-Content-Type-Options": ["nosniff"]},
        },
        "notifications": {
            "endpoints": [
                {
                    "name": "events",
                    "url": f"http://{events.ALIAS}:{events.PORT}/",
                    "timeout": "2s",
                    "threshold": 3,
                    "backoff": "1s",
                    "ignore": {"mediatypes": ["application/octet-stream"], "actions": ["pull"]},
                }
            ]
        },
    }
