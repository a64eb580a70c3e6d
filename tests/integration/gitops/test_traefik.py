"""The local edge itself: one port for both protocols, the Ingress's status, and endpoints that go."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from ci.local import argocd, certificates, edge
from ci.settings import Settings
from tests.integration.gitops.apiserver import ApiServer
from tests.integration.gitops.conftest import Rendered
from tests.integration.gitops.controllers import (
    Controller,
    apply_all,
    container,
    kubeconfig,
    running,
    until,
)  # fmt: skip
from tests.ports import free_range


class Pod(BaseHTTPRequestHandler):
    """Answers with what it was asked for."""

    protocol_version = "HTTP/1.1"
    name = ""

    def do_GET(self) -> None:
        body = f"{self.name} {self.headers['Host']} {self.headers['X-Forwarded-Proto']}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def address() -> str:
    """This machine's address: endpoints may not be on 127.0.0.1."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        return str(probe.getsockname()[0])


@pytest.fixture(scope="module")
def pods() -> Iterator[list[int]]:
    """The ports of two pods."""
    servers = [
        ThreadingHTTPServer(("0.0.0.0", 0), type(f"Pod{number}", (Pod,), {"name": f"pod-{number}"}))
        for number in range(2)
    ]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield [server.server_address[1] for server in servers]
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def settings(configuration: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """An environment of its own, with a CA and a free port for the edge."""
    port = free_range(1)
    return Settings("edge-test", port, configuration.wiring, tmp_path_factory.mktemp("edge"))


@pytest.fixture(scope="module")
def traefik(
    api: ApiServer, rendered: Rendered, configuration: Settings, settings: Settings, pods: list[int]
) -> Iterator[Controller]:
    """Traefik as its Application runs it: same arguments, files and rights, other ports and paths."""
    documents = rendered["platform/traefik", "local"]
    apply_all(api, documents, "ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding",
              "IngressClass")  # fmt: skip
    apply_all(api, rendered["main", "local"], "Service", "Ingress")
    endpoints(api, pods[0])
    certify(api, settings)
    folder = settings.state
    (files,) = [d for d in documents if d["kind"] == "ConfigMap"]
    (folder / "edge.yaml").write_text(files["data"]["edge.yaml"].replace("/etc/traefik", str(folder)))
    (deployment,) = [d for d in documents if d["kind"] == "Deployment"]
    health = free_range(1)
    arguments = [
        each.replace("/etc/traefik", str(folder))
        .replace("=:8443", f"=127.0.0.1:{settings.port}")
        .replace("=:8080", f"=127.0.0.1:{health}")
        for each in container(deployment)[0]
    ]
    env = {"KUBECONFIG": str(kubeconfig(api, "traefik", "traefik", folder))}
    with running(configuration, "traefik", arguments, env, folder) as controller:
        until(lambda: _answer(settings), lambda: controller.said)
        yield controller


def certify(api: ApiServer, settings: Settings) -> None:
    """Issue a certificate and apply it as bootstrap does."""
    for path in (settings.state / "certificates").glob("edge.*"):
        path.unlink()
    apply_all(api, [argocd._edge_certificate(settings)], "Secret")


def endpoints(api: ApiServer, port: int) -> None:
    """Say which pod is behind the Service."""
    labels = {"kubernetes.io/service-name": "main"}
    document = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": "main-pods", "namespace": "main", "labels": labels},
        "addressType": "IPv4",
        "ports": [{"name": "web", "port": port, "protocol": "TCP"}],
        "endpoints": [{"addresses": [address()], "conditions": {"ready": True}}],
    }
    apply_all(api, [document], "EndpointSlice")


def test_the_product_is_served_over_tls_under_its_name(traefik: Controller, settings: Settings) -> None:
    with edge.client(settings) as product:
        answer = product.get("/api/version")
    assert answer.status_code == 200
    assert answer.text.split()[1:] == [f"ledger.slipway.localhost:{settings.port}", "https"]


def test_plain_http_on_the_same_port_is_sent_to_the_same_address_with_https(
    traefik: Controller, settings: Settings
) -> None:
    url = f"http://ledger.slipway.localhost:{settings.port}/a?b=c"
    with httpx.Client(transport=edge.transport(settings)) as plain:
        got, posted = plain.get(url), plain.post(url, content=b"x")
    assert (got.status_code, got.headers["Location"]) == (301, url.replace("http:", "https:"))
    assert (posted.status_code, posted.headers["Location"]) == (308, url.replace("http:", "https:"))


def test_another_host_is_not_served(traefik: Controller, settings: Settings) -> None:
    with edge.client(settings) as product:
        assert product.get("/", headers={"Host": "other.slipway.localhost"}).status_code == 404


def test_old_tls_is_refused(traefik: Controller, settings: Settings) -> None:
    context = ssl.create_default_context(cafile=str(certificates.ca(settings)))
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with socket.create_connection(("127.0.0.1", settings.port)) as raw, pytest.raises(ssl.SSLError):
        context.wrap_socket(raw, server_hostname=settings.wiring.host)


def test_the_ingress_says_where_it_is_reached(api: ApiServer, traefik: Controller) -> None:
    path = "/apis/networking.k8s.io/v1/namespaces/main/ingresses/main"
    found = until(
        lambda: api.http.get(path).json()["status"].get("loadBalancer", {}).get("ingress"),
        lambda: traefik.said,
    )
    assert found == [{"ip": "127.0.0.1"}]


def test_no_request_goes_to_a_pod_for_long_after_it_left_the_endpoints(
    api: ApiServer, traefik: Controller, settings: Settings, pods: list[int]
) -> None:
    """A pod that was told to stop still answers for 5 s: by then nothing may be sent to it."""
    with edge.client(settings) as product:
        assert {product.get("/").text.split()[0] for _ in range(6)} == {"pod-0"}
        endpoints(api, pods[1])
        time.sleep(1.5)
        assert {product.get("/").text.split()[0] for _ in range(6)} == {"pod-1"}
        endpoints(api, pods[0])


def test_a_new_certificate_is_taken_up_without_a_restart(
    api: ApiServer, traefik: Controller, settings: Settings
) -> None:
    before = certificate(settings)
    certify(api, settings)
    until(
        lambda: True if certificate(settings) != before else None,
        lambda: traefik.said,
    )


def certificate(settings: Settings) -> bytes | None:
    """What the edge shows to who asks for the product's name."""
    context = ssl.create_default_context(cafile=str(certificates.ca(settings)))
    with (
        socket.create_connection(("127.0.0.1", settings.port)) as raw,
        context.wrap_socket(raw, server_hostname=settings.wiring.host) as shaken,
    ):
        return shaken.getpeercert(binary_form=True)


def _answer(settings: Settings) -> bool | None:
    try:
        with edge.client(settings) as product:
            return True if product.get("/").status_code == 200 else None
    except httpx.HTTPError:
        return None
