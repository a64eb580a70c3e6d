"""The way in: TLS under the product's name, plain HTTP sent there, and rollouts that nobody notices."""

import socket
import ssl
import threading
import time
import uuid

import httpx
import pytest

from ci.local import certificates, edge
from tests.e2e.environment import PRODUCT, Environment, until


def test_the_certificate_is_the_authoritys_and_for_the_name(environment: Environment) -> None:
    settings = environment.settings
    context = ssl.create_default_context(cafile=str(certificates.ca(settings)))
    with (
        socket.create_connection(("127.0.0.1", settings.port), timeout=10) as raw,
        context.wrap_socket(raw, server_hostname=settings.wiring.host) as shaken,
    ):
        found = shaken.getpeercert() or {}
        assert shaken.version() == "TLSv1.3"
    assert found["subjectAltName"] == (("DNS", settings.wiring.host),)


def test_who_trusts_only_public_authorities_is_warned(environment: Environment) -> None:
    settings = environment.settings
    with (
        socket.create_connection(("127.0.0.1", settings.port), timeout=10) as raw,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        ssl.create_default_context().wrap_socket(raw, server_hostname=settings.wiring.host)


def test_plain_http_is_sent_to_https(environment: Environment) -> None:
    settings = environment.settings
    address = f"{settings.wiring.host}:{settings.port}/api/version?a=b"
    with httpx.Client(transport=edge.transport(settings), timeout=10) as plain:
        answer = plain.get(f"http://{address}")
        assert (answer.status_code, answer.headers["Location"]) == (301, f"https://{address}")
        followed = plain.get(f"http://{address}", follow_redirects=True)
    assert followed.status_code == 200
    assert followed.json()["version"]


def test_another_host_is_not_the_product(environment: Environment) -> None:
    answer = environment.product.get("/", headers={"Host": "other.slipway.localhost"})
    assert answer.status_code == 404


def test_the_ingress_is_where_the_edge_is(environment: Environment) -> None:
    found = environment.network.read_namespaced_ingress("main", PRODUCT)
    assert found.spec.ingress_class_name == "traefik"
    assert [entry.ip for entry in found.status.load_balancer.ingress] == ["127.0.0.1"]


def test_a_rollout_fails_no_request_on_kept_connections(settled: Environment) -> None:
    """Connections end at the edge, so a client that keeps one notices nothing."""
    old = {pod.name for pod in settled.pods()}
    stop = threading.Event()
    answers: list[int | str] = []

    def load() -> None:
        with edge.client(settled.settings) as product:
            while not stop.is_set():
                headers = {"Idempotency-Key": uuid.uuid4().hex}
                body = {"description": "during a rollout", "amount": 1}
                try:
                    answers.append(product.post("/api/entries", headers=headers, json=body).status_code)
                    answers.append(product.get("/api/entries?limit=1").status_code)
                except httpx.HTTPError as error:
                    answers.append(f"{type(error).__name__}: {error}")
                time.sleep(0.01)

    workers = [threading.Thread(target=load) for _ in range(4)]
    for worker in workers:
        worker.start()
    try:
        stamp = {"kubectl.kubernetes.io/restartedAt": str(time.time())}
        body = {"spec": {"template": {"metadata": {"annotations": stamp}}}}
        settled.apps.patch_namespaced_deployment("main", PRODUCT, body)
        until(
            lambda: None if {pod.name for pod in settled.pods()} & old else True,
            "old pods are left", seconds=120,
        )  # fmt: skip
        time.sleep(2)
    finally:
        stop.set()
        for worker in workers:
            worker.join(30)
    assert set(answers) == {201, 200}
    assert len(answers) > 500
