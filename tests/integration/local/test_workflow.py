"""release.yml without GitHub: the steps of its job, in order, from the file itself."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from ci.oci import Registry
from ci.settings import IMAGES, Settings, load
from tests.integration.local import workflow
from tests.integration.local.new_engine import new_engine
from tests.integration.local.workflow import Run
from tests.unit.standin.tokens import Issuer

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

VERSION, NEXT = "v7.0.1", "v7.0.2"
CODE = "app/ledger/__init__.py"


@pytest.fixture(scope="module")
def github(gated: Settings) -> Issuer:
    return workflow.issuer(gated)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return workflow.checkout(tmp_path_factory.mktemp("runner"), VERSION)


@pytest.fixture
def run(gated: Settings, github: Issuer, checkout: Path) -> Iterator[Run]:
    name = f"{gated.name}-runner"
    yield Run(gated, github, checkout, f"refs/tags/{VERSION}", workflow.environment(gated, name))
    shutil.rmtree(load().cache / "environments" / name, ignore_errors=True)


def test_the_job_publishes_the_tag_once_and_a_repeated_run_does_nothing(run: Run, gated: Settings) -> None:
    run.job()
    with workflow.registry(gated) as registry:
        published = {name: registry.digest(name, VERSION) for name in IMAGES}
        assert run.outputs["images"] == published
        assert run.attested == {name: [digest, digest] for name, digest in published.items()}
        run.job()
        assert {name: registry.digest(name, VERSION) for name in IMAGES} == published


def test_on_a_new_engine_the_layers_are_those_of_the_last_release(run: Run, gated: Settings) -> None:
    """A change of the product's code is released where no package can be installed."""
    run.job()
    run.tag(NEXT, **{CODE: (run.checkout / CODE).read_text() + "\n# changed\n"})
    with new_engine(gated) as host:
        run.env["DOCKER_HOST"] = host
        run.job()
    with workflow.registry(gated) as registry:
        for name in IMAGES:
            before, after = (layers(registry, name, version) for version in (VERSION, NEXT))
            assert before[:-1] == after[:-1], name
            # The code is the app's last layer, the page with the version is web's.
            assert (before[-1] == after[-1]) is (name == "eks-migration"), name


def test_from_a_branch_the_job_gets_no_credentials(run: Run) -> None:
    run.ref = "refs/heads/main"
    with pytest.raises(ClientError, match="AccessDenied"):
        run.job()
    assert run.outputs == {}


def layers(registry: Registry, name: str, version: str) -> list[str]:
    found = registry.manifest(name, version)
    assert found is not None, f"{name}:{version} is not published"
    return [layer["digest"] for layer in found.data["layers"]]
