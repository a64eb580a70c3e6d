"""A push to the registry reaches Image Updater's place as ECR's CloudEvent."""

import json

import pytest

from ci import shell, waiting
from ci.local import container, events, registry, secret
from ci.settings import Settings
from tests.integration.local.images import MANIFEST, client, login, push
from tests.integration.local.parts import Node

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def pushed_to(gated: Settings, node: Node) -> Settings:
    node.start()
    return gated


def test_a_pushed_tag_becomes_one_event_with_the_secret(pushed_to: Settings, node: Node) -> None:
    digest = push(pushed_to, "eks-app", "digest", "v1.2.3")
    told = node.wait(lambda request: "v1.2.3" in request.body)
    assert (told.port, told.path) == (30082, "/webhook?type=cloudevents")
    assert told.headers["content-type"] == "application/cloudevents+json"
    assert told.headers["x-webhook-secret"] == secret.value(pushed_to, secret.EVENTS_WEBHOOK)
    event = json.loads(told.body)
    assert (event.pop("id") != "", event.pop("time")[:2]) == (True, "20")
    assert event == {
        "specversion": "1.0",
        "type": "com.amazon.ecr.image.push",
        "source": "urn:aws:ecr:ap-northeast-1:123456789012:repository/eks-app",
        "subject": "eks-app:v1.2.3",
        "datacontenttype": "application/json",
        "data": {
            "repositoryName": "eks-app",
            "imageDigest": digest,
            "imageTag": "v1.2.3",
            "registryId": "123456789012",
        },
    }
    assert len([request for request in node.received() if digest in request.body]) == 1


def test_platform_images_are_no_events(pushed_to: Settings, node: Node) -> None:
    other = push(pushed_to, "argoproj/argocd", "v3.6.1")
    last = push(pushed_to, "eks-web", "v1.2.4")  # events of one registry come in order
    node.wait(lambda request: last in request.body)
    assert not [request for request in node.received() if other in request.body]


def test_an_event_is_tried_again_until_it_is_taken(pushed_to: Settings, node: Node) -> None:
    node.start(503, 503)
    digest = push(pushed_to, "eks-app", "v1.2.5")
    node.wait(lambda request: digest in request.body and request.status == 200)
    assert [request.status for request in node.received()] == [503, 503, 200]
    waiting.until(
        lambda: None if "answer 200, try " in _line(pushed_to, "eks-app:v1.2.5") else "no such line",
        what="the relay did not log the delivery", seconds=5, fix="see relay.py",
    )  # fmt: skip


def _line(settings: Settings, subject: str) -> str:
    """What the relay wrote about the delivery of `subject`."""
    lines = container.logs(settings, "events", lines=200)
    return next((line for line in lines if line.startswith(f"{subject} ")), "")


def test_an_event_waits_for_a_node_that_is_not_there_yet(pushed_to: Settings, node: Node) -> None:
    node.stop()
    digest = push(pushed_to, "eks-app", "v1.2.6")
    node.start()
    node.wait(lambda request: digest in request.body)


def test_the_relay_ends_at_once_on_sigterm_and_says_no_secret(pushed_to: Settings) -> None:
    name = pushed_to.container("events")
    shell.run("docker", "stop", "--time", "5", name)
    state = shell.run("docker", "inspect", "--format", "{{.State.ExitCode}}", name).out.strip()
    assert state == "0"
    known = secret.value(pushed_to, secret.EVENTS_WEBHOOK)
    assert known not in shell.run("docker", "inspect", name).out
    logged = container.logs(pushed_to, "events", lines=1000)
    assert logged[-1] == "stopped"
    assert known not in "\n".join(logged)
    events.ensure(pushed_to)


def test_the_registry_keeps_its_data_over_a_new_configuration(pushed_to: Settings) -> None:
    digest = push(pushed_to, "eks-migration", "v1.2.7")
    asked = ("docker", "inspect", "--format", "{{.Id}}", pushed_to.container("registry"))
    before = shell.run(*asked).out
    registry.ensure(pushed_to)
    assert shell.run(*asked).out == before
    (pushed_to.state / "secrets" / secret.REGISTRY_UPLOADS).write_text("another")
    registry.ensure(pushed_to)
    assert shell.run(*asked).out != before
    with client(pushed_to, login(pushed_to)) as opened:
        found = opened.head("/v2/eks-migration/manifests/v1.2.7", headers={"Accept": MANIFEST})
    assert found.headers["Docker-Content-Digest"] == digest
