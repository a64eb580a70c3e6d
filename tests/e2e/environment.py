"""The environment under test, seen from outside: Kubernetes, HTTP, git, registry and database.

Names and ports come from the settings; what is true is asked of the parts themselves and not of
the code that is tested.
"""

import base64
import json
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psycopg
from kubernetes import client, config

from ci.local import aws, edge
from ci.settings import IMAGES, ROOT, Settings
from tests.invocation import Ended, Running

PRODUCT, ARGOCD = "main", "argocd"
SELECTOR = "app.kubernetes.io/name=main"
OVERLAY = "gitops/main/overlays/local/kustomization.yaml"
APPLICATIONS = {
    "root", "external-secrets-crds", "external-secrets", "traefik", "main-prerequisites", "main", "external-dns",
    "argocd-image-updater",
}  # fmt: skip
RELEASE_SECONDS = 400.0

Found = TypeVar("Found")


def until(ask: Callable[[], Found | None], what: str, seconds: float = 60, every: float = 0.5) -> Found:
    """Ask until there is an answer, and return it; fail with `what` when time is up."""
    deadline = time.monotonic() + seconds
    while (found := ask()) is None:
        assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} s"
        time.sleep(every)
    return found


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod of the product: tag by container name, and where it is in its life."""

    name: str
    tags: dict[str, str]
    digests: dict[str, str]
    ready: bool
    leaving: bool

    @classmethod
    def read(cls, found: Any) -> "Pod":
        conditions = {entry.type: entry.status for entry in found.status.conditions or ()}
        states = found.status.container_statuses or ()
        return cls(
            name=found.metadata.name,
            tags={each.name: each.image.rpartition(":")[2] for each in found.spec.containers},
            digests={each.name: each.image_id.rpartition("@")[2] for each in states},
            ready=conditions.get("Ready") == "True",
            leaving=found.metadata.deletion_timestamp is not None,
        )


@dataclass(frozen=True, slots=True)
class Job:
    """The migration Job as it is now. `said` is the migration's own word, 2 s before the conditions."""

    uid: str
    tag: str
    succeeded: bool
    failed: bool
    said: str


class Environment:
    """One bootstrapped environment."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.product = edge.client(settings)
        login = aws.registry_login(settings, "node")
        self.registry = httpx.Client(
            base_url=f"http://{settings.push_registry}", timeout=10, trust_env=False,
            auth=(login.user, login.password),
        )  # fmt: skip
        self.api: Any = config.new_client_from_config(str(settings.kubeconfig))  # type: ignore[no-untyped-call]
        # As Any: every field is optional in the client's types, and an absent one fails the test anyway.
        self.core: Any = client.CoreV1Api(self.api)
        self.apps: Any = client.AppsV1Api(self.api)
        self.batch: Any = client.BatchV1Api(self.api)
        self.network: Any = client.NetworkingV1Api(self.api)
        self.custom: Any = client.CustomObjectsApi(self.api)

    def close(self) -> None:
        """Close every connection."""
        self.product.close()
        self.registry.close()
        self.api.rest_client.pool_manager.clear()
        self.api.close()

    # Verbs

    def start(
        self, *argv: str, cwd: Path = ROOT, env: Mapping[str, str] | None = None, before: tuple[str, ...] = ()
    ) -> Running:
        return Running(*argv, cwd=cwd, env=env or {}, before=before)

    def invoke(
        self, *argv: str, cwd: Path = ROOT, env: Mapping[str, str] | None = None, seconds: float = 60
    ) -> Ended:
        return self.start(*argv, cwd=cwd, env=env).wait(seconds)

    def release(self, version: str, cwd: Path) -> Ended:
        return self.invoke("release", "--version", version, cwd=cwd, seconds=RELEASE_SECONDS)

    def status(self) -> str:
        return self.invoke("status").succeeded().out

    def next_version(self) -> str:
        """The version after every one that any part has heard of."""
        names = [tag for image in IMAGES for tag in self.tags(image)]
        names += [ref.rpartition("/")[2] for ref in self.refs()]
        known = [tuple(map(int, tag[1:].split("."))) for tag in names if re.fullmatch(r"v\d+\.\d+\.\d+", tag)]
        major, minor, patch = max(known)
        return f"v{major}.{minor}.{patch + 1}"

    # Kubernetes

    def pods(self) -> list[Pod]:
        return [
            Pod.read(pod) for pod in self.core.list_namespaced_pod(PRODUCT, label_selector=SELECTOR).items
        ]

    def job(self) -> Job | None:
        try:
            found = self.batch.read_namespaced_job("migration", PRODUCT)
        except client.ApiException as error:
            if error.status == 404:
                return None
            raise
        image = found.spec.template.spec.containers[0].image
        conditions = {entry.type for entry in found.status.conditions or () if entry.status == "True"}
        said = (found.metadata.annotations or {}).get("slipway.dev/migration-state", "")
        tag = image.rpartition(":")[2]
        return Job(found.metadata.uid, tag, "Complete" in conditions, "Failed" in conditions, said)

    def applications(self) -> dict[str, tuple[str, str]]:
        """(sync, health) by name."""
        found = self.custom.list_namespaced_custom_object("argoproj.io", "v1alpha1", ARGOCD, "applications")
        states = {each["metadata"]["name"]: each.get("status", {}) for each in found["items"]}
        return {
            name: (state["sync"]["status"], state["health"]["status"])
            for name, state in states.items()
            if "status" in state.get("sync", {}) and "status" in state.get("health", {})
        }

    def unhealthy(self) -> dict[str, tuple[str, str]]:
        """Applications that are missing or not Synced and Healthy."""
        found = self.applications()
        states = {name: found.get(name, ("missing", "missing")) for name in APPLICATIONS}
        return {name: state for name, state in states.items() if state != ("Synced", "Healthy")}

    def settle(self) -> None:
        """Wait until every Application is Synced and Healthy, only ready pods are left, and the Job is over."""

        def calm() -> bool | None:
            pods, job = self.pods(), self.job()
            still = len(pods) == 2 and all(pod.ready and not pod.leaving for pod in pods)
            over = job is None or job.succeeded or job.failed  # Argo CD goes on before that
            return True if still and over and not self.unhealthy() else None

        until(calm, "the environment did not settle", seconds=180)

    # HTTP

    def version(self) -> dict[str, Any]:
        """Ask over a new connection: a kept one still leads to a pod that drains."""
        with edge.client(self.settings) as product:
            answer: dict[str, Any] = product.get("/api/version").raise_for_status().json()
        return answer

    def add(self, key: str, description: str, amount: int) -> httpx.Response:
        return self.product.post(
            "/api/entries",
            headers={"Idempotency-Key": key},
            json={"description": description, "amount": amount},
        )

    # Database

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """Ask the database itself, with the login that the pods have."""
        secret = self.core.read_namespaced_secret("database-secrets", PRODUCT).data
        login = {key: base64.b64decode(value).decode() for key, value in secret.items()}
        with psycopg.connect(
            host="127.0.0.1", port=self.settings.database_port, dbname=login["dbname"],
            user=login["username"], password=login["password"], connect_timeout=5, autocommit=True,
        ) as connection:  # fmt: skip
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    # Registry

    def tags(self, image: str) -> set[str]:
        answer = self.registry.get(f"/v2/{image}/tags/list")
        return set(answer.json().get("tags") or ()) if answer.status_code == 200 else set()

    def manifest(self, image: str, version: str) -> dict[str, Any]:
        accept = {"Accept": "application/vnd.oci.image.manifest.v1+json"}
        answer = self.registry.get(f"/v2/{image}/manifests/{version}", headers=accept).raise_for_status()
        return {**answer.json(), "digest": answer.headers["Docker-Content-Digest"]}

    # Git

    @property
    def repository(self) -> str:
        return f"https://127.0.0.1:{self.settings.git_port}/acme/slipway.git"

    def git(self, *argv: str, cwd: Path | None = None, login: str = "") -> str:
        """Run git against the server as the cluster would: the authority comes from its ConfigMap.

        `login` is the name of the Secret to log in with; reading needs none.
        """
        authority = self.settings.state / "e2e-authority.pem"
        authority.write_text(
            self.core.read_namespaced_config_map("argocd-tls-certs-cm", ARGOCD).data["github.com"]
        )
        env = {
            **os.environ, "GIT_SSL_CAINFO": str(authority), "GIT_TERMINAL_PROMPT": "0", "NO_PROXY": "127.0.0.1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
        }  # fmt: skip
        if login:
            found = self.core.read_namespaced_secret(login, ARGOCD).data
            user, password = (base64.b64decode(found[key]) for key in ("username", "password"))
            basic = base64.b64encode(user + b":" + password).decode()
            env |= {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "http.extraHeader"}
            env |= {"GIT_CONFIG_VALUE_0": f"Authorization: Basic {basic}"}
        done = subprocess.run(
            ["git", *argv], cwd=cwd, env=env, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, f"git {' '.join(argv)}: {done.stderr}"
        return done.stdout

    def refs(self) -> dict[str, str]:
        lines = self.git("ls-remote", self.repository).splitlines()
        return {name: commit for commit, _, name in (line.partition("\t") for line in lines)}

    def head(self) -> str:
        return self.refs()["refs/heads/main"]

    def commits_since(self, before: str) -> list[dict[str, str]]:
        """Commits on main after `before`, newest first: paths and changed lines of each."""
        with tempfile.TemporaryDirectory() as folder:
            clone = Path(folder)
            self.git("clone", "--quiet", "--bare", self.repository, folder)
            found = self.git("rev-list", f"{before}..main", cwd=clone).split()
            return [
                {
                    "commit": commit,
                    "paths": self.git("show", "--format=", "--name-only", commit, cwd=clone).strip(),
                    "diff": self.git("show", "--format=", "--unified=0", commit, cwd=clone),
                }
                for commit in found
            ]

    # All of it

    def containers(self) -> dict[str, str]:
        """Container id and start by name: what the engine runs for this environment."""
        name = self.settings.name
        ids = _docker("ps", "--all", "--quiet", "--filter", f"name=^{name}-").split()
        found = json.loads(_docker("inspect", *ids)) if ids else []
        return {each["Name"]: f"{each['Id']} {each['State']['StartedAt']}" for each in found}

    def snapshot(self) -> dict[str, Any]:
        """What a command that was refused must leave as it is."""
        deployment = self.apps.read_namespaced_deployment("main", PRODUCT)
        return {
            "containers": self.containers(),
            "git": self.refs(),
            "tags": {image: self.tags(image) for image in IMAGES},
            "deployment": (deployment.metadata.uid, deployment.metadata.generation),
            "job": self.job(),
        }


def _docker(*argv: str) -> str:
    return subprocess.run(["docker", *argv], capture_output=True, text=True, check=True, timeout=30).stdout
