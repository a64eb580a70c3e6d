"""release.yml run without GitHub: what GitHub would do is done here, what the file runs is run as the file has it.

GitHub's part is the checkout, a token of its shape, and the exchange of that token for role-github, by the stand-in for
AWS. Attestations need GitHub itself; which digests they name is kept.
"""

import os
import re
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import yaml
from botocore import UNSIGNED
from botocore.config import Config

from ci import infra
from ci.ecr import login
from ci.local import aws
from ci.oci import Registry
from ci.settings import ROOT, Settings, wiring
from tests.unit.standin.tokens import Issuer

WORKFLOW = ROOT / ".github" / "workflows" / "release.yml"
GITHUB = "https://token.actions.githubusercontent.com"


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
    seconds: dict[str, float] = field(default_factory=dict)
    """How long each command took, by its step's id."""

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

    def tag(self, version: str, **changes: str) -> None:
        """Commit `changes` (path to content) to main, and go on with `version` there."""
        for name, content in changes.items():
            (self.checkout / name).write_text(content)
        who = ("-c", "user.name=a", "-c", "user.email=a@example", "-c", "commit.gpgsign=false")
        git(*who, "commit", "--quiet", "--all", "--allow-empty", "--message", version, cwd=self.checkout)
        git("update-ref", "refs/remotes/origin/main", "HEAD", cwd=self.checkout)
        git("tag", version, cwd=self.checkout)
        self.ref = f"refs/tags/{version}"

    def _run(self, step: dict[str, Any]) -> None:
        told = self.checkout.parent / "output"
        told.write_text("")
        begun = time.monotonic()
        done = subprocess.run(
            ["bash", "-e", "-c", step["run"]], cwd=self.checkout, text=True, capture_output=True, check=False,
            env={**self.env, "GITHUB_OUTPUT": str(told), "GITHUB_REF_NAME": self.ref.rpartition("/")[2]},
        )  # fmt: skip
        self.seconds[step["id"]] = time.monotonic() - begun
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


def issuer(settings: Settings) -> Issuer:
    """Make GitHub's issuer known, with production's stacks in the stand-in."""
    infra.ensure(settings, "production", stand_in=True)
    made = Issuer(GITHUB)
    aws.register_issuer(settings, made.url, made.jwks)
    return made


def checkout(folder: Path, version: str) -> Path:
    """Make what actions/checkout leaves: the tag, whole history, main beside it."""
    made = folder / "slipway"
    git("clone", "--quiet", str(ROOT), str(made), cwd=ROOT)
    git("update-ref", "refs/remotes/origin/main", "HEAD", cwd=made)
    git("tag", version, cwd=made)
    return made


def environment(settings: Settings, name: str) -> dict[str, str]:
    """Return a runner's variables: its own name, and where registry and AWS are."""
    env = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "SLIPWAY_"))}
    return env | {
        "SLIPWAY_NAME": name, "SLIPWAY_REGISTRY_URL": f"http://{settings.push_registry}",
        "AWS_ENDPOINT_URL": aws.endpoint(settings), "NO_PROXY": "127.0.0.1",
    }  # fmt: skip


def registry(settings: Settings) -> Registry:
    """Open production's registry with the rights of its account."""
    account = wiring("production").account
    return Registry(f"http://{settings.push_registry}", login(lambda: aws.client(settings, "ecr", account)))


def git(*argv: str, cwd: Path) -> None:
    """Run git, which must succeed."""
    subprocess.run(["git", *argv], cwd=cwd, check=True, capture_output=True)
