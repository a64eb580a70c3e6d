"""The relay beside the registry: which notifications become events, and how they are delivered."""

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from http.server import ThreadingHTTPServer
from types import ModuleType
from typing import Any

import pytest

MANIFEST = "application/vnd.oci.image.manifest.v1+json"


@pytest.fixture(scope="module")
def relay(program: Callable[[str], ModuleType]) -> Any:
    return program("events/relay.py")


@pytest.fixture
def rule(relay: Any) -> Any:
    return relay.Rule("123456789012", "ap-northeast-1", frozenset({"eks-app", "eks-web"}))


def notification(action: str = "push", **target: Any) -> dict[str, Any]:
    """One event as the registry sends it."""
    full = {
        "mediaType": MANIFEST, "digest": "sha256:ab", "repository": "eks-app", "tag": "v1.0.0",
        "url": "http://registry/v2/eks-app/manifests/sha256:ab", **target,
    }  # fmt: skip
    kept = {key: value for key, value in full.items() if value is not None}
    return {"id": "e-1", "timestamp": "2026-11-24T03:00:00Z", "action": action, "target": kept}


def test_a_tag_push_is_what_eventbridge_would_send(relay: Any, rule: Any) -> None:
    assert list(relay.cloud_events({"events": [notification()]}, rule)) == [
        {
            "specversion": "1.0",
            "id": "e-1",
            "type": "com.amazon.ecr.image.push",
            "source": "urn:aws:ecr:ap-northeast-1:123456789012:repository/eks-app",
            "subject": "eks-app:v1.0.0",
            "time": "2026-11-24T03:00:00Z",
            "datacontenttype": "application/json",
            "data": {
                "repositoryName": "eks-app",
                "imageDigest": "sha256:ab",
                "imageTag": "v1.0.0",
                "registryId": "123456789012",
            },
        }
    ]


@pytest.mark.parametrize(
    "event",
    [
        notification("pull"),
        notification("delete"),
        notification("mount", mediaType="application/octet-stream", tag=None),
        notification(mediaType="application/octet-stream", tag=None),
        notification(tag=None),
        notification(tag=""),
        notification(mediaType="application/vnd.oci.image.config.v1+json"),
        notification(repository="argoproj/argocd"),
        notification(repository=None),
        {},
    ],
    ids=["pull", "delete", "mount", "blob", "by digest", "empty tag", "config", "other", "nameless", "empty"],
)
def test_everything_else_is_left_out(relay: Any, rule: Any, event: dict[str, Any]) -> None:
    assert list(relay.cloud_events({"events": [event]}, rule)) == []


@pytest.mark.parametrize(
    "kind",
    [
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.index.v1+json",
    ],
)
def test_every_kind_of_manifest_counts_and_all_events_of_an_envelope(
    relay: Any, rule: Any, kind: str
) -> None:
    envelope = {"events": [notification(mediaType=kind), notification(tag="v2.0.0")]}
    assert [event["subject"] for event in relay.cloud_events(envelope, rule)] == [
        "eks-app:v1.0.0", "eks-app:v2.0.0",
    ]  # fmt: skip


def test_without_names_every_repository_counts(relay: Any) -> None:
    envelope = {"events": [notification(repository="a/b")]}
    found = list(relay.cloud_events(envelope, relay.Rule("1", "eu-west-1")))
    assert found[0]["source"] == "urn:aws:ecr:eu-west-1:1:repository/a/b"


@pytest.mark.parametrize(
    ("answers", "outcome", "tries"),
    [
        ([200], "answer 200, try 1", 1),
        ([503, OSError(), 429, 401, 202], "answer 202, try 5", 5),
        ([http.client.BadStatusLine(""), 204], "answer 204, try 2", 2),
        ([400, 200], "answer 400, try 1, refused", 1),
        ([500] * 9, "answer 500, try 5, dropped", 5),
        ([ConnectionRefusedError()] * 9, "no answer (ConnectionRefusedError), try 5, dropped", 5),
    ],
)
def test_tries_are_bounded(relay: Any, answers: list[int | Exception], outcome: str, tries: int) -> None:
    left = list(answers)

    def post(_body: bytes) -> int:
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert relay.deliver({"id": "e-1"}, post, pauses=(0, 0, 0, 0)) == outcome
    assert len(answers) - len(left) == tries


class Target:
    """Takes events slowly, as Image Updater might."""

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        self.go = threading.Event()
        self.done = threading.Semaphore(0)

    def __call__(self, body: bytes) -> int:
        assert self.go.wait(10)
        self.taken.append(json.loads(body))
        self.done.release()
        return 200


@pytest.fixture
def target() -> Target:
    return Target()


@pytest.fixture
def server(relay: Any, rule: Any, target: Target) -> Iterator[int]:
    made = relay.Relay(rule, target)
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), relay.handler(made))
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield httpd.server_port
    target.go.set()
    httpd.shutdown()
    thread.join()
    httpd.server_close()
    made.workers.shutdown()


def ask(port: int, method: str, path: str, body: bytes | None = None, **headers: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request(method, path, body, headers)
        return connection.getresponse().status
    finally:
        connection.close()


def test_the_registry_is_answered_before_the_event_is_taken(server: int, target: Target) -> None:
    body = json.dumps({"events": [notification()]}).encode()
    assert ask(server, "POST", "/", body) == 202
    assert target.taken == []
    target.go.set()
    assert target.done.acquire(timeout=5)
    assert target.taken[0]["subject"] == "eks-app:v1.0.0"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b'{"events": [1]}', b'{"events": 1}'])
def test_what_is_no_envelope_is_refused(server: int, body: bytes) -> None:
    assert ask(server, "POST", "/", body) == 400


def test_other_requests(server: int) -> None:
    assert ask(server, "GET", "/healthz") == 200
    assert ask(server, "GET", "/") == 404
    assert ask(server, "POST", "/", None, **{"Content-Length": "999999999"}) == 413
    assert ask(server, "PUT", "/", b"") == 501
