"""The relay in EventBridge's place: a push to the registry becomes ECR's CloudEvent."""

from ci import supply
from ci.local import container, secret
from ci.local.container import Probe, Service
from ci.progress import Step
from ci.settings import IMAGES, Settings

ALIAS = "slipway-events"
PORT = 8080
TARGET_PORT = 30082
"""NodePort of Image Updater's webhook."""

_ASK = (
    "import urllib.request as u;"
    f"u.build_opener(u.ProxyHandler({{}})).open('http://127.0.0.1:{PORT}/healthz', timeout=3)"
)


def target(settings: Settings) -> str:
    """Return the one URL that events go to: Image Updater's webhook on the cluster's node."""
    return f"http://{settings.node}:{TARGET_PORT}/webhook?type=cloudevents"


def ensure(settings: Settings, step: Step | None = None) -> None:
    """Have the relay answering, in the network, at ALIAS:PORT."""
    container.ensure(settings, service(settings), _probe(settings), step=step)


def service(settings: Settings) -> Service:
    """Describe the container."""
    return Service(
        role="events",
        image=supply.image(settings, "events"),
        alias=ALIAS,
        files={"/run/secrets/webhook": secret.value(settings, secret.EVENTS_WEBHOOK)},
        env={
            "TARGET_URL": target(settings),
            "ACCOUNT": settings.wiring.account,
            "REGION": settings.wiring.region,
            "REPOSITORIES": ",".join(IMAGES),  # what ECR holds; platform images are not events
        },
        back="too",  # the registry tells it about pushes
    )


def _probe(settings: Settings) -> Probe:
    def probe() -> str | None:
        answer = container.execute(settings, "events", "python3", "-I", "-c", _ASK, ok=range(256))
        return None if answer.code == 0 else "the relay does not answer yet"

    return probe
