"""release.yml without GitHub: the steps of its job, in order, from the file itself.

What GitHub would do is done here: the checkout, a token of its shape, and the exchange of that token for role-github, by
the stand-in for AWS. What is run, is run as the file has it. Attestations need GitHub; that they name what was published
is checked.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from ci import infra
from ci.ecr import login
from ci.local import aws
from ci.oci import Registry
from ci.settings import IMAGES, ROOT, Settings, load, wiring
from tests.unit.standin.tokens import Issuer

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

WORKFLOW = ROOT / ".github" / "workflows" / "release.yml"
GITHUB = "https://token.actions.githubusercontent.com"
VERSION = "v7.0.1"


@dataclass
class Run:
    """One run of the job: what earlier steps left for later ones."""

    settings: Settings
    github: Issuer
    checkout: Path
    ref: str
    env: dict[str, str]
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    attested: dict[str, list[str]] = field(default_factory=dict)

    def job(self) -> None:
        """Do every step of the file's one job."""
        (job,) = yaml.safe_load(WORKFLOW.read_text())["jobs"].values()
        assert job["permissions"]["id-token"] == "write"
        self.env |= job.get("env", {})
        for step in job["steps"]:
            if "run" in step:
                self._run(step)
            else:
                self._use(step["uses"].partition("@")[0], step.get("with", {}))

    def _run(self, step: dict[str, Any]) -> None:
        told = self.checkout.parent / "output"
        told.write_text("")
        done = subprocess.run(
            ["bash", "-e", "-c", step["run"]], cwd=self.checkout, text=True, capture_output=True, check=False,
            env={**self.env, "GITHUB_OUTPUT": str(told), "GITHUB_REF_NAME": self.ref.rpartition("/")[2]},
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        self.outputs[step["id"]] = dict(line.split("=", 1) for line in told.read_text().splitlines())

    def _use(self, action: str, given: dict[str, Any]) -> None:
        if action == "actions/checkout":
            assert given["fetch-depth"] == 0
        elif action == "aws-actions/configure-aws-credentials":
            self._become(given["role-to-assume"], given["aws-region"])
        elif action == "actions/attest":
            digest = self._filled(given["subject-digest"])
            self.attested.setdefault(given["subject-name"].rpartition("/")[2], []).append(digest)
        else:
            assert action == "anchore/sbom-action", f"nobody here does the work of {action}"

    def _become(self, role: str, region: str) -> None:
        token = self.github.token(
            f"repo:acme/slipway:ref:{self.ref}", repository="acme/slipway", ref=self.ref
        )
        sts = boto3.client(
            "sts", region, endpoint_url=aws.endpoint(self.settings), config=Config(signature_version=UNSIGNED)
        )
        session = sts.assume_role_with_web_identity(
            RoleArn=role, RoleSessionName="GitHubActions", WebIdentityToken=token
        )["Credentials"]
        self.env |= {
            "AWS_ACCESS_KEY_ID": session["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": session["SecretAccessKey"],
            "AWS_SESSION_TOKEN": session["SessionToken"], "AWS_REGION": region,
        }  # fmt: skip

    def _filled(self, text: str) -> str:
        found = re.fullmatch(r"\$\{\{ steps\.([\w-]+)\.outputs\.([\w-]+) }}", text)
        assert found is not None, text
        return self.outputs[found[1]][found[2]]


@pytest.fixture(scope="module")
def github(gated: Settings) -> Issuer:
    """GitHub's issuer, and production's stacks in the stand-in."""
    infra.ensure(gated, "production", stand_in=True)
    made = Issuer(GITHUB)
    aws.register_issuer(gated, made.url, made.jwks)
    return made


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What actions/checkout leaves: the tag, whole history, main beside it."""
    folder = tmp_path_factory.mktemp("runner") / "slipway"
    git("clone", "--quiet", str(ROOT), str(folder), cwd=ROOT)
    git("update-ref", "refs/remotes/origin/main", "HEAD", cwd=folder)
    git("tag", VERSION, cwd=folder)
    return folder


@pytest.fixture
def run(gated: Settings, github: Issuer, checkout: Path) -> Iterator[Run]:
    name = f"{gated.name}-runner"
    env = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "SLIPWAY_"))}
    env |= {
        "SLIPWAY_NAME": name, "SLIPWAY_REGISTRY_URL": f"http://{gated.push_registry}",
        "AWS_ENDPOINT_URL": aws.endpoint(gated), "NO_PROXY": "127.0.0.1",
    }  # fmt: skip
    yield Run(gated, github, checkout, f"refs/tags/{VERSION}", env)
    shutil.rmtree(load().cache / "environments" / name, ignore_errors=True)


def test_the_job_publishes_the_tag_once_and_a_repeated_run_does_nothing(run: Run, gated: Settings) -> None:
    run.job()
    account = wiring("production").account
    with Registry(
        f"http://{gated.push_registry}", login(lambda: aws.client(gated, "ecr", account))
    ) as registry:
        published = {name: registry.digest(name, VERSION) for name in IMAGES}
        assert run.outputs["images"] == published
        assert run.attested == {name: [digest, digest] for name, digest in published.items()}
        run.job()
        assert {name: registry.digest(name, VERSION) for name in IMAGES} == published


def test_from_a_branch_the_job_gets_no_credentials(run: Run) -> None:
    run.ref = "refs/heads/main"
    with pytest.raises(ClientError, match="AccessDenied"):
        run.job()
    assert run.outputs == {}


def git(*argv: str, cwd: Path) -> None:
    subprocess.run(["git", *argv], cwd=cwd, check=True, capture_output=True)
