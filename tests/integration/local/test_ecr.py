"""ECR's front door: real registry, real nginx, real stand-in, and nobody in without a token."""

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from ci import shell, supply
from ci.ecr import credentials
from ci.ecr import login as ecr_login
from ci.local import aws, container, ecr
from ci.oci import Registry
from ci.oci.media import CONFIG, Descriptor, image_manifest
from ci.settings import Settings
from tests.integration.local import images
from tests.integration.local.images import (
    MANIFEST,
    client,
    digest,
    login,
    manifest,
    push,
    put_blob,
    put_manifest,
)

pytestmark = pytest.mark.integration

CHALLENGE = 'Basic realm="https://slipway-registry/",service="ecr.amazonaws.com"'


@pytest.fixture(autouse=True)
def no_faults(gated: Settings) -> Iterator[None]:
    yield
    aws.settle(gated)


def error(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["errors"][0]["code"]


@pytest.mark.parametrize("header", [None, "Basic QVdTOng=", "Bearer x", "Basic x"])
def test_without_a_token_there_is_only_the_challenge(gated: Settings, header: str | None) -> None:
    with client(gated, header) as opened:
        for method, path in (
            ("GET", "/v2/"), ("GET", "/v2/eks-app/tags/list"), ("PUT", "/v2/eks-app/manifests/v1"),
            ("POST", "/v2/eks-app/blobs/uploads/"), ("GET", "/v2/_catalog"),
        ):  # fmt: skip
            answer = opened.request(method, path)
            assert answer.status_code == 401, path
            assert answer.headers["WWW-Authenticate"] == CHALLENGE


def test_motos_own_token_opens_nothing(gated: Settings) -> None:
    with client(gated, httpx.BasicAuth("AWS", f"{gated.wiring.account}-auth-token")._auth_header) as opened:
        assert opened.get("/v2/").status_code == 401


def test_push_and_pull_with_a_token(gated: Settings) -> None:
    pushed = push(gated, "eks-app", "v2.0.0")
    with client(gated, login(gated)) as opened:
        found = opened.get("/v2/eks-app/manifests/v2.0.0", headers={"Accept": MANIFEST})
        assert digest(found.content) == pushed == found.headers["Docker-Content-Digest"]
        assert "v2.0.0" in opened.get("/v2/eks-app/tags/list").json()["tags"]
    with client(gated, aws.registry_login(gated, "node").header) as opened:
        assert opened.head("/v2/eks-app/manifests/v2.0.0", headers={"Accept": MANIFEST}).status_code == 200
    described = aws.client(gated, "ecr").describe_images(repositoryName="eks-app")["imageDetails"]
    assert ["v2.0.0"] in [image.get("imageTags") for image in described]


def test_our_own_client_logs_in_by_itself_and_again_when_the_token_has_ended(gated: Settings) -> None:
    aws.settle(gated, ecr_token_seconds=2)
    asked: list[float] = []

    def token() -> object:
        asked.append(time.monotonic())
        return aws.client(gated, "ecr")

    content = b'{"config": {}}'
    config = Descriptor(CONFIG, digest(content), len(content))
    with Registry(f"http://{gated.push_registry}", ecr_login(token)) as registry:
        assert registry.answers()
        registry.upload("eks-web", config, content)
        registry.put_manifest("eks-web", "v2.0.1", image_manifest(config, [], {}))
        assert len(asked) == 1  # one login for every repository, to read and to write
        time.sleep(2.1)
        assert "v2.0.1" in registry.tags("eks-web")
        assert len(asked) == 2


def test_a_tag_never_moves(gated: Settings) -> None:
    with client(gated, login(gated)) as opened:
        first, second = manifest(opened, "eks-app"), manifest(opened, "eks-app")
        assert put_manifest(opened, "eks-app", "v2.1.0", first).status_code == 201
        for content in (second, first):  # ECR refuses the same digest too
            answer = put_manifest(opened, "eks-app", "v2.1.0", content)
            assert error(answer) == (400, "TAG_INVALID")
            assert answer.json()["errors"][0]["message"] == (
                "The image tag 'v2.1.0' already exists in the 'eks-app' repository and cannot be overwritten "
                "because the repository is immutable."
            )
        assert put_manifest(opened, "eks-app", digest(second), second).status_code == 201
        found = opened.head("/v2/eks-app/manifests/v2.1.0", headers={"Accept": MANIFEST})
        assert found.headers["Docker-Content-Digest"] == digest(first)


def test_of_many_who_push_one_tag_at_once_one_gets_it(gated: Settings) -> None:
    header = login(gated)
    with client(gated, header) as opened:
        contents = [manifest(opened, "eks-app") for _ in range(8)]

    def put(content: bytes) -> int:
        with client(gated, header) as own:
            return put_manifest(own, "eks-app", "v2.2.0", content).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(put, contents))
    assert sorted(statuses) == [201, *[400] * 7]
    with client(gated, header) as opened:
        found = opened.head("/v2/eks-app/manifests/v2.2.0", headers={"Accept": MANIFEST})
    assert found.headers["Docker-Content-Digest"] == digest(contents[statuses.index(201)])


def test_a_repository_that_ecr_does_not_have(gated: Settings) -> None:
    with client(gated, login(gated)) as opened:
        for answer in (
            opened.get("/v2/eks-other/manifests/v1"),
            put_blob(opened, "eks-other", b"x"),
            put_manifest(opened, "eks-other", "v1", b"{}"),
        ):
            assert error(answer) == (404, "NAME_UNKNOWN")
    with client(gated, aws.registry_login(gated, "bootstrap").header) as opened:
        assert error(put_blob(opened, "eks-other", b"x")) == (403, "DENIED")
        assert put_blob(opened, "argoproj/other", b"x").status_code == 201


def test_the_node_pushes_nothing(gated: Settings) -> None:
    with client(gated, aws.registry_login(gated, "node").header) as opened:
        assert error(put_blob(opened, "argoproj/argocd", b"x")) == (403, "DENIED")
        assert error(put_manifest(opened, "argoproj/argocd", "v1", b"{}")) == (403, "DENIED")
        assert error(opened.delete("/v2/argoproj/argocd/manifests/v1")) == (403, "DENIED")


def test_nothing_is_deleted_by_the_registry_api(gated: Settings) -> None:
    pushed = push(gated, "eks-app", "v2.3.0")
    with client(gated, login(gated)) as opened:
        assert error(opened.delete(f"/v2/eks-app/manifests/{pushed}")) == (405, "UNSUPPORTED")


@pytest.mark.parametrize("pieces", [False, True])
def test_layers_of_any_size_pass_through_without_being_kept(gated: Settings, pieces: bool) -> None:
    """96 MB, more than the front's /tmp could be asked to hold for many at once; in one piece, or as Docker does."""
    piece = os.urandom(1 << 20)
    content = piece * 96
    with client(gated, login(gated)) as opened:
        begun = opened.post("/v2/eks-app/blobs/uploads/")
        assert begun.headers["Location"].startswith(f"http://{gated.push_registry}/v2/eks-app/")
        if pieces:
            sent = opened.patch(begun.headers["Location"], content=(piece for _ in range(96)))
            assert sent.status_code == 202
            done = opened.put(f"{sent.headers['Location']}&digest={digest(content)}")
        else:
            done = opened.put(f"{begun.headers['Location']}&digest={digest(content)}", content=content)
        assert done.status_code == 201
        with opened.stream("GET", f"/v2/eks-app/blobs/{digest(content)}") as answer:
            size = sum(len(part) for part in answer.iter_bytes())
    assert size == len(content)
    kept = container.execute(gated, "ecr", "du", "-sk", "/tmp").out.split()[0]
    assert int(kept) < 1024


@pytest.mark.parametrize("status", [429, 500, 503])
def test_failures_for_tests_reach_the_client(gated: Settings, status: int) -> None:
    header = login(gated)
    aws.settle(gated, fail_status={"registry": status})
    with client(gated, header) as opened:
        assert opened.get("/v2/eks-app/tags/list").status_code == status
    with client(gated, aws.registry_login(gated, "node").header) as opened:
        assert opened.get("/v2/").status_code == 200


def test_without_the_stand_in_nobody_is_let_in(gated: Settings) -> None:
    header = login(gated)
    shell.run("docker", "stop", "--time", "5", gated.container("aws"))
    try:
        with client(gated, header) as opened:
            assert error(opened.get("/v2/eks-app/tags/list")) == (503, "UNAVAILABLE")
            assert opened.put("/v2/eks-app/manifests/v9", content=b"{}").status_code == 503
    finally:
        aws.ensure(gated)
    with client(gated, header) as opened:  # the token outlives the restart
        assert opened.get("/v2/eks-app/tags/list").status_code == 200


def test_the_registry_itself_cannot_be_reached_from_the_clusters_network(gated: Settings) -> None:
    ask = (
        "import socket, sys\n"
        "try: socket.create_connection((sys.argv[1], 5000), 3)\n"
        "except OSError as e: print(type(e).__name__); raise SystemExit(7)\n"
    )
    shown = shell.run(
        "docker", "inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}",
        gated.container("registry"),
    )  # fmt: skip
    for host in ("slipway-distribution", shown.out.strip()):
        found = shell.run(
            "docker", "run", "--rm", "--network", gated.network, "--entrypoint", "python3",
            supply.image(gated, "events"), "-c", ask, host, ok=(7,),
        )  # fmt: skip
        assert found.code == 7
    reached = shell.run(
        "docker", "run", "--rm", "--network", gated.network, "--entrypoint", "python3",
        supply.image(gated, "events"), "-c", ask, ecr.ALIAS,
    )  # fmt: skip
    assert reached.code == 0


def test_the_front_says_no_secret(gated: Settings) -> None:
    found = credentials(aws.client(gated, "ecr"))
    with client(gated, found.header) as opened:
        opened.get("/v2/eks-app/tags/list").raise_for_status()
    encoded = found.header.removeprefix("Basic ")
    for role in ("ecr", "aws"):
        said = "\n".join(container.logs(gated, role, lines=2000))
        shown = shell.run("docker", "inspect", gated.container(role)).out
        for known in (found.password, encoded, aws.registry_login(gated, "node").password):
            assert known not in said
            assert known not in shown


def test_the_images_helper_pushes_platform_images_with_bootstraps_login(gated: Settings) -> None:
    push(gated, "argoproj/argocd", "v0.0.1")
    with client(gated, images.login(gated, "argoproj/argocd")) as opened:
        assert opened.get("/v2/argoproj/argocd/tags/list").json()["tags"] == ["v0.0.1"]
