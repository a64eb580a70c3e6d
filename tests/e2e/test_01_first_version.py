"""What `invoke bootstrap` leaves: the first version, serving."""

import uuid
from pathlib import Path

from ci.settings import IMAGES, ROOT
from tests.e2e.environment import APPLICATIONS, OVERLAY, Environment

FIRST = "v0.1.0"


def test_first_version_is_what_git_asks_for(environment: Environment) -> None:
    assert f"newTag: {FIRST}" in (ROOT / OVERLAY).read_text()
    assert {image: environment.tags(image) for image in IMAGES} == {image: {FIRST} for image in IMAGES}


def test_every_application_is_synced_and_healthy(environment: Environment) -> None:
    assert environment.unhealthy() == {}


def test_page_serves(environment: Environment) -> None:
    page = environment.product.get("/")
    assert (page.status_code, FIRST in page.text) == (200, True)
    assert page.headers["Content-Type"].startswith("text/html")
    assert environment.product.get("/health_check").text.strip() == "ok"


def test_api_serves_with_its_schema(environment: Environment) -> None:
    answer = environment.version()
    assert answer["version"] == FIRST
    assert answer["schema_head"] == answer["schema_live"]
    applied = environment.query("SELECT revision FROM schema_revisions")
    assert (answer["schema_head"],) in applied


def test_entry_is_stored_once_per_key(environment: Environment) -> None:
    key = uuid.uuid4().hex
    first, again = (environment.add(key, "coffee", 350) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert environment.add(key, "tea", 350).status_code == 422
    assert environment.query(f"SELECT description, amount FROM entries WHERE idempotency_key = '{key}'") == [
        ("coffee", 350)
    ]


def test_pods_are_one_release(environment: Environment) -> None:
    """Both containers of both pods, and the app's record of its own release, name the same images."""
    app = environment.manifest("eks-app", FIRST)
    web, migration = (environment.manifest(name, FIRST) for name in ("eks-web", "eks-migration"))
    notes = app["annotations"]
    assert notes["org.opencontainers.image.version"] == FIRST
    assert notes["dev.slipway.image.web"] == web["digest"]
    assert notes["dev.slipway.image.migration"] == migration["digest"]
    assert notes["org.opencontainers.image.revision"] == environment.refs()[f"refs/tags/{FIRST}"]
    assert notes["dev.slipway.schema-head"] == environment.version()["schema_head"]
    pods = environment.pods()
    assert len(pods) == 2
    for pod in pods:
        assert pod.ready
        assert pod.tags == {"app": FIRST, "web": FIRST}
        assert pod.digests == {"app": app["digest"], "web": web["digest"]}


def test_migration_ran_as_its_own_account(environment: Environment) -> None:
    job = environment.job()
    assert job is not None
    assert (job.tag, job.succeeded) == (FIRST, True)
    spec = environment.batch.read_namespaced_job("migration", "main").spec
    assert (spec.active_deadline_seconds, spec.backoff_limit) == (120, 0)
    assert spec.ttl_seconds_after_finished is None
    assert spec.template.spec.service_account_name == "account-for-db-migrator"


def test_status_tells_it(environment: Environment) -> None:
    shown = environment.status()
    assert f"{environment.settings.url} answers, {FIRST}" in shown
    assert shown.count("Synced") == shown.count("Healthy") == len(APPLICATIONS)
    assert "MIXED" not in shown


def test_no_secret_is_in_git(environment: Environment, tmp_path: Path) -> None:
    """The git server's whole history holds none of the values that bootstrap made."""
    environment.git("clone", "--quiet", "--mirror", environment.repository, str(tmp_path / "mirror"))
    history = environment.git("log", "--all", "--patch", cwd=tmp_path / "mirror")
    secrets = list((environment.settings.state / "secrets").iterdir())
    assert len(secrets) >= 4
    assert [path.name for path in secrets if path.read_text() in history] == []
