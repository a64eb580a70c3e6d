"""The three images: built by the bake file, run as the cluster runs them."""

import base64
import hashlib
import io
import json
import os
import re
import shutil
import tarfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from ci import build, schema, settings, shell, supply

pytestmark = [pytest.mark.integration, pytest.mark.images, pytest.mark.timeout(600)]

ROOT = Path(__file__).resolve().parents[3]
VERSION, REVISION = "v9.8.7", "0123456789abcdef0123456789abcdef01234567"
HARDENED = ("--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges")


@dataclass(frozen=True, slots=True)
class Images:
    """The built images, and a mark that was in the secret files of the build."""

    registry: str
    mark: str

    def name(self, image: str) -> str:
        """Return the reference of `eks-app` and so on."""
        return f"{self.registry}/{image}:{VERSION}"

    def config(self, image: str) -> Any:
        """Return what the engine knows about the image."""
        return json.loads(shell.run("docker", "image", "inspect", self.name(image)).out)[0]


@dataclass(frozen=True, slots=True)
class Pod:
    """eks-app and eks-web in one network namespace."""

    app: str
    web: str
    url: str


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Images]:
    """Build with secrets that carry a mark, from a copy whose lock files differ by a comment.

    Without that the engine would take the layers that use the secrets from its cache.
    """
    folder = tmp_path_factory.mktemp("build")
    source = folder / "app"
    shutil.copytree(ROOT / "app", source)
    for lock in (source / "requirements.lock", source / "migration" / "requirements.lock"):
        lock.write_text(f"{lock.read_text()}# {uuid.uuid4().hex}\n")
    made = Images(f"test-{uuid.uuid4().hex[:8]}", uuid.uuid4().hex)
    given = build.secrets(os.environ, Path.home(), folder)
    pip = folder / "pip.conf"
    pip.write_text(f"# {made.mark}\n" + (pip.read_text() if pip.exists() else "[global]\n"))
    bundle = folder / "ca.pem"
    bundle.write_text(f"# {made.mark}\n" + (given["CA_BUNDLE"].read_text() if "CA_BUNDLE" in given else ""))
    buildx = os.environ.get("SLIPWAY_BUILDX") or str(supply.tool(settings.load(), "docker-buildx"))
    shell.run(
        buildx, "bake", "--file", "docker-bake.hcl", "--progress", "plain",
        cwd=source,
        env={
            "REGISTRY": made.registry, "VERSION": VERSION, "REVISION": REVISION,
            "SCHEMA_HEAD": schema.head(ROOT), "PIP_CONFIG": str(pip), "CA_BUNDLE": str(bundle),
            "BUILDX_BAKE_ENTITLEMENTS_FS": "0", "BUILDX_BUILDER": "default",
        },
        timeout=550,
    )  # fmt: skip
    yield made
    for image in settings.IMAGES:
        shell.run("docker", "image", "rm", "--force", made.name(image))


@pytest.fixture
def credentials(database: Any) -> Path:
    """The Secret's files as a pod sees them: readable by any user, host name as containers know it."""
    database.write_credentials(host=database.server.address, port="5432")
    database.credentials.chmod(0o755)
    return Path(database.credentials)


@pytest.fixture
def run() -> Iterator[Any]:
    """Start containers with the restrictions of the pod; removed at the end."""
    started: list[str] = []

    def start(image: str, *options: str) -> str:
        name = f"slipway-test-{uuid.uuid4().hex[:8]}"
        started.append(name)
        shell.run("docker", "run", "--detach", "--name", name, *HARDENED, *options, image)
        return name

    yield start
    for name in reversed(started):
        shell.run("docker", "rm", "--force", "--volumes", name)


@pytest.fixture
def pod(images: Images, credentials: Path, run: Any, until: Any) -> Pod:
    """Migrate, then start both containers and wait until they are ready."""
    mount = f"--volume={credentials}:/run/secrets/database:ro"
    migration = run(images.name("eks-migration"), mount)
    assert shell.run("docker", "wait", migration, timeout=60).out.strip() == "0", _logs(migration)
    app = run(images.name("eks-app"), mount, "--publish=127.0.0.1::80", "--env=DRAIN_SECONDS=1")
    web = run(images.name("eks-web"), f"--network=container:{app}", "--tmpfs=/tmp")
    url = "http://" + shell.run("docker", "port", app, "80/tcp").out.split()[0]
    until(lambda: _status(f"{url}/api/entries") == 200, f"the pod; {_logs(app)} {_logs(web)}", seconds=30)
    return Pod(app, web, url)


def _logs(container: str) -> str:
    result = shell.run("docker", "logs", container)
    return result.out + result.err


def _status(url: str) -> int:
    try:
        return httpx.get(url, timeout=5).status_code
    except httpx.TransportError:
        return 0


def _json_lines(text: str) -> list[dict[str, Any]]:
    """The access log's lines; nginx writes its error log, which is no JSON, to the same place."""
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


@pytest.mark.parametrize("image", settings.IMAGES)
def test_image_tells_what_it_is_and_is_not_root(images: Images, image: str) -> None:
    config = images.config(image)["Config"]
    labels = {
        "org.opencontainers.image.title": image,
        "org.opencontainers.image.version": VERSION,
        "org.opencontainers.image.revision": REVISION,
    }
    if image != "eks-web":
        labels["dev.slipway.schema-head"] = schema.head(ROOT)
    base = json.loads(shell.run("docker", "image", "inspect", "debian:bookworm-slim").out)[0]["Config"]
    assert config["Labels"] == {**(base["Labels"] or {}), **labels}
    assert config["User"] == "10001:10001"


@pytest.mark.parametrize("image", settings.IMAGES)
def test_no_secret_of_the_build_is_in_history_or_layers(images: Images, image: str, tmp_path: Path) -> None:
    mark = images.mark.encode()
    archive = tmp_path / "image.tar"
    shell.run("docker", "save", "--output", str(archive), images.name(image), timeout=120)
    searched = 0
    with tarfile.open(archive) as outer:
        for member in outer.getmembers():
            content = outer.extractfile(member).read() if member.isfile() else b""  # type: ignore[union-attr]
            assert mark not in content, member.name
            if member.name.endswith("layer.tar"):
                searched += 1
                with tarfile.open(fileobj=io.BytesIO(content)) as layer:
                    names = layer.getnames()
                assert not {"run/secrets/ca", "run/secrets/pip", "root/.config/pip/pip.conf"} & set(names)
    assert searched == len(images.config(image)["RootFS"]["Layers"])
    history = shell.run("docker", "history", "--no-trunc", images.name(image)).out
    assert images.mark not in history


def test_layers_of_the_system_are_shared_and_a_release_adds_only_its_source(images: Images) -> None:
    app, migration, web = (
        images.config(image)["RootFS"]["Layers"] for image in ("eks-app", "eks-migration", "eks-web")
    )
    assert app[:2] == migration[:2]
    assert app[:1] == web[:1]
    # debian, python, folder, dependencies, source
    assert (len(app), len(migration)) == (5, 5)


def test_final_images_have_no_pip(images: Images) -> None:
    for image in ("eks-app", "eks-migration"):
        code = "import importlib.util as u; print(u.find_spec('pip'), u.find_spec('setuptools'))"
        said = shell.run(
            "docker", "run", "--rm", "--entrypoint", "/srv/venv/bin/python", images.name(image), "-c", code
        ).out
        assert said == "None None\n"


def test_pod_serves_page_api_and_health(pod: Pod, images: Images) -> None:
    page = httpx.get(f"{pod.url}/")
    assert page.status_code == 200
    assert VERSION in page.text
    assert httpx.get(f"{pod.url}/version.json").json() == {"version": VERSION, "revision": REVISION}
    assert httpx.get(f"{pod.url}/health_check").text.strip() == "ok"
    assert httpx.get(f"{pod.url}/favicon.ico").status_code == 204
    assert httpx.get(f"{pod.url}/readyz").status_code == 404
    version = httpx.get(f"{pod.url}/api/version").json()
    head = schema.head(ROOT)
    assert version == {
        "version": VERSION, "revision": REVISION, "schema_head": head, "schema_live": head,
    }  # fmt: skip


def test_entry_added_through_nginx_has_one_request_id_in_both_logs(pod: Pod) -> None:
    answer = httpx.post(
        f"{pod.url}/api/entries",
        headers={"Idempotency-Key": "k1"},
        json={"description": "tea", "amount": 250},
    )
    assert answer.status_code == 201
    request_id = answer.headers["X-Request-Id"]
    for container in (pod.app, pod.web):
        (line,) = [line for line in _json_lines(_logs(container)) if line.get("request_id") == request_id]
        assert (line["method"], line["path"], line["status"]) == ("POST", "/api/entries", 201)
    assert httpx.get(f"{pod.url}/api/entries").json()["sum"] == 250


def test_policy_admits_exactly_the_page_s_own_style_and_script(pod: Pod) -> None:
    page = httpx.get(f"{pod.url}/")
    policy = page.headers["Content-Security-Policy"]
    for tag in ("script", "style"):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page.text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert page.headers["Cache-Control"] == "no-store"
    assert not re.findall(r"""(?:src|href|action)=["']https?:""", page.text)


def test_web_alone_stays_healthy_and_tells_that_the_api_is_gone(images: Images, run: Any, until: Any) -> None:
    web = run(images.name("eks-web"), "--tmpfs=/tmp", "--publish=127.0.0.1::80")
    url = "http://" + shell.run("docker", "port", web, "80/tcp").out.split()[0]
    until(lambda: _status(f"{url}/health_check") == 200, "nginx")
    answer = httpx.get(f"{url}/api/entries")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert answer.json() == {"error": "the API does not answer; the same request can be sent again"}


def test_both_containers_stop_in_good_order(pod: Pod) -> None:
    for container in (pod.web, pod.app):
        shell.run("docker", "stop", "--time=20", container)
        code = shell.run("docker", "inspect", "--format={{.State.ExitCode}}", container).out
        assert code.strip() == "0", _logs(container)
