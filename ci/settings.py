"""Where things are on this machine: environment name, ports, folders, and the wiring file."""

import os
import re
from dataclasses import dataclass, fields
from pathlib import Path

import yaml

from ci.problem import Problem

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENTS = ("local", "production")
IMAGES = ("eks-migration", "eks-web", "eks-app")
"""The product's images in publishing order: the app's tag is the commit point, so it is last."""


@dataclass(frozen=True, slots=True)
class Wiring:
    """What infra and gitops share for one environment (gitops/wiring/ENV/wiring.yaml)."""

    environment: str
    account: str
    region: str
    registry: str
    repo_url: str
    domain: str
    host: str
    cluster_name: str
    vpc_name: str
    role_github: str
    role_secrets: str
    role_external_dns: str
    role_image_updater: str
    role_db_migrator: str
    role_load_balancer_controller: str

    def role_arn(self, role: str) -> str:
        """Return the ARN of a role of this environment's account, from its name."""
        return f"arn:aws:iam::{self.account}:role/{role}"


@dataclass(frozen=True, slots=True)
class Settings:
    """One local environment.

    `name` prefixes every container and the cluster, so several environments can stand side by
    side. Ports are on 127.0.0.1. `cache` survives `destroy`; `state` belongs to the environment.
    """

    name: str
    port: int
    wiring: Wiring
    cache: Path

    @property
    def registry_port(self) -> int:
        """Port of the registry on 127.0.0.1."""
        return self.port + 1

    @property
    def git_port(self) -> int:
        """HTTPS port of the git server on 127.0.0.1."""
        return self.port + 2

    @property
    def database_port(self) -> int:
        """Port of PostgreSQL on 127.0.0.1."""
        return self.port + 3

    @property
    def aws_port(self) -> int:
        """Port of the stand-in for AWS on 127.0.0.1."""
        return self.port + 4

    @property
    def url(self) -> str:
        """Where the product answers, through the edge."""
        return f"https://{self.wiring.host}:{self.port}"

    @property
    def push_registry(self) -> str:
        """The registry as this machine reaches it; the cluster knows it by its ECR name."""
        return f"127.0.0.1:{self.registry_port}"

    @property
    def network(self) -> str:
        """The Docker network of the environment."""
        return self.name

    @property
    def node(self) -> str:
        """The container that is the cluster's only node."""
        return f"{self.name}-control-plane"

    @property
    def state(self) -> Path:
        """Folder of generated secrets, certificates and the kubeconfig; mode 0700."""
        return self.cache / "environments" / self.name

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig of this environment's cluster; the user's own is never touched."""
        return self.state / "kubeconfig"

    def container(self, role: str) -> str:
        """Name of the container in `role`: registry, git, database, events or aws."""
        return f"{self.name}-{role}"


def chosen(environment: str) -> str:
    """Return the name of an environment that there is; Problem for another."""
    if environment not in ENVIRONMENTS:
        raise Problem(
            f"environment '{environment}' is unknown", fix=f"--env takes {' or '.join(ENVIRONMENTS)}"
        )
    return environment


def load() -> Settings:
    """Read the settings from the environment and the wiring file.

    SLIPWAY_NAME (default `slipway`), SLIPWAY_PORT (default 8080; the next four are used too),
    SLIPWAY_CACHE (default ~/.cache/slipway).
    """
    name = os.environ.get("SLIPWAY_NAME", "slipway")
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,30}", name):
        raise Problem(
            f"SLIPWAY_NAME '{name}' is not a usable name",
            fix="use up to 31 lower-case letters, digits and dashes, starting with a letter",
        )
    cache_home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    cache = Path(os.environ.get("SLIPWAY_CACHE") or Path(cache_home) / "slipway")
    return Settings(name, _port(), wiring("local"), cache.resolve())


def wiring(environment: str) -> Wiring:
    """Load the wiring file of `environment` (local or production)."""
    path = ROOT / "gitops" / "wiring" / environment / "wiring.yaml"
    try:
        data = yaml.safe_load(path.read_text())["data"]
    except FileNotFoundError:
        raise Problem(f"environment '{environment}' has no wiring file", fix=f"create {path}") from None
    try:
        return Wiring(
            environment=environment,
            **{field.name: data[_camel(field.name)] for field in fields(Wiring)[1:]},
        )
    except KeyError as missing:
        raise Problem(
            f"{path} does not name {missing}", fix="compare it with the other environment's"
        ) from None


def _camel(name: str) -> str:
    """The key in the wiring file of the field `name`: repo_url is repoUrl there."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _port() -> int:
    text = os.environ.get("SLIPWAY_PORT", "8080")
    if not text.isdecimal() or not 1024 <= int(text) <= 65500:
        raise Problem(f"SLIPWAY_PORT '{text}' is not a usable port", fix="set a number from 1024 to 65500")
    return int(text)
