"""Image Updater's login to the registry: short-lived tokens, a slow AWS, and registries that say no."""

import base64
import json
import os
import re
import time
import uuid
from collections.abc import Iterator

import pytest

from ci.local import aws, container, events
from tests.e2e.checkout import Checkout
from tests.e2e.environment import ARGOCD, OVERLAY, Environment, until

RESULT = re.compile(r"images_considered=(\d+) .*images_updated=(\d+) errors=(\d+)")
MINUTES = float(os.environ.get("SLIPWAY_SOAK_MINUTES", "3"))
"""CI's share of the time; ten minutes were asked for, and are what a change to the login should run."""

POST = """
import json, sys, urllib.request as u
asked = json.load(sys.stdin)
request = u.Request(asked["url"], asked["body"].encode(), asked["headers"], method="POST")
print(u.build_opener(u.ProxyHandler({})).open(request, timeout=30).status)
"""


@pytest.fixture
def faulty(settled: Environment) -> Iterator[Environment]:
    """Faults of the stand-in end with the test."""
    yield settled
    aws.settle(settled.settings)


def test_tokens_that_live_sixty_seconds(faulty: Environment) -> None:
    """The stand-in is as slow as what broke Image Updater's login script: 11 s for each answer."""
    aws.settle(faulty.settings, ecr_token_seconds=60, delay_seconds={"sts": 11, "ecr": 11})
    began, deadline = time.time(), time.monotonic() + 60 * MINUTES
    time.sleep(60)  # the login of before may still be good for hours: from here on it is not
    while time.monotonic() < deadline:
        _look(faulty)
        time.sleep(5)
    results = _results(faulty, time.time() - began)
    assert len(results) >= 6 * (MINUTES - 1)
    assert [found for found in results if found != (1, 0, 0)] == []


@pytest.mark.parametrize("status", [429, 500, 503, 401])
def test_a_registry_that_refuses_makes_nothing_written(
    faulty: Environment, checkout: Checkout, status: int
) -> None:
    head = faulty.head()
    aws.settle(faulty.settings, fail_status={"registry": status})
    began = time.time()
    for _ in range(3):
        _look(faulty)
        time.sleep(2)
    until(lambda: True if _errors(faulty, time.time() - began) else None, "no look-up was refused", 30)
    assert faulty.head() == head
    assert [commit for commit in faulty.commits_since(head) if commit["paths"] == OVERLAY] == []
    aws.settle(faulty.settings)
    until(lambda: _good_again(faulty), "no look-up succeeds after the fault", 90, every=3)


def _look(environment: Environment) -> None:
    """Tell the webhook of an image, as the events relay does; Image Updater then asks the registry."""
    wiring = environment.settings.wiring
    secret = environment.core.read_namespaced_secret("argocd-image-updater-secret", ARGOCD).data
    shown = base64.b64decode(secret["webhook.cloudevents-secret"]).decode()
    version = environment.version()["version"]
    event = {
        "specversion": "1.0", "id": uuid.uuid4().hex, "type": "com.amazon.ecr.image.push",
        "source": f"urn:aws:ecr:{wiring.region}:{wiring.account}:repository/eks-app",
        "subject": f"eks-app:{version}", "datacontenttype": "application/json",
        "data": {"repositoryName": "eks-app", "imageTag": version, "registryId": wiring.account},
    }  # fmt: skip
    asked = {
        "url": events.target(environment.settings),
        "headers": {"Content-Type": "application/cloudevents+json", "X-Webhook-Secret": shown},
        "body": json.dumps(event),
    }
    # From the relay's container, which is where such events come from.
    done = container.execute(
        environment.settings, "events", "python3", "-I", "-c", POST, stdin=json.dumps(asked)
    )
    assert done.out.strip() == "200"


def _log(environment: Environment, seconds: float) -> str:
    (pod,) = environment.core.list_namespaced_pod(
        ARGOCD, label_selector="control-plane=argocd-image-updater-controller"
    ).items
    said: str = environment.core.read_namespaced_pod_log(
        pod.metadata.name, ARGOCD, since_seconds=max(1, int(seconds))
    )
    return said


def _results(environment: Environment, seconds: float) -> list[tuple[int, int, int]]:
    """(considered, updated, errors) of every look since."""
    found = RESULT.findall(_log(environment, seconds))
    return [(int(considered), int(updated), int(errors)) for considered, updated, errors in found]


def _errors(environment: Environment, seconds: float) -> int:
    return sum(errors for _, _, errors in _results(environment, seconds))


def _good_again(environment: Environment) -> bool | None:
    began = time.time()
    _look(environment)
    time.sleep(2)
    results = _results(environment, time.time() - began + 1)
    return True if results and all(errors == 0 for _, _, errors in results) else None
