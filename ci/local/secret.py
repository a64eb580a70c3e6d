"""Random secrets of one local environment, each made once and kept in its state folder."""

import os
import re
import secrets
import tempfile
from pathlib import Path

from ci.settings import Settings

GIT_PASSWORD = "git-password"
"""Password of the git server's one user; Secret argocd/git-creds."""

GIT_WEBHOOK = "git-webhook"
"""HMAC key of the git server's push webhook; argocd-secret, key webhook.github.secret."""

EVENTS_WEBHOOK = "events-webhook"
"""What the events relay shows Image Updater; key webhook.cloudevents-secret."""

DATABASE_SUPERUSER_PASSWORD = "database-superuser-password"
REGISTRY_UPLOADS = "registry-uploads"

REGISTRY_NODE = "registry-node"
"""Password of the registry's login `node`, with which the cluster's node pulls."""

REGISTRY_BOOTSTRAP = "registry-bootstrap"
"""Password of the registry's login `bootstrap`, which pushes platform images."""

AWS_CONTROL = "aws-control"
"""Bearer secret of the control plane of the stand-in for AWS."""


def value(settings: Settings, name: str) -> str:
    """Return the secret `name`: 43 URL-safe characters, made on first use.

    The file is 0600 in a folder of 0700, and appears complete or not at all; two callers at once
    get the same value.
    """
    if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
        raise ValueError(f"not a secret's name: {name!r}")
    path = settings.state / "secrets" / name
    if not path.exists():
        _create(private_folder(path.parent), path, secrets.token_urlsafe(32))
    return path.read_text()


def private_folder(path: Path) -> Path:
    """Return `path` as a folder that only its owner enters, made where it is missing."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.chmod(0o700)
    return path


def write(path: Path, content: str | bytes, mode: int = 0o600) -> None:
    """Replace `path` by `content` in one step; a reader sees the old file or the new one."""
    temporary = _temporary(path.parent, content, mode)
    os.replace(temporary, path)


def _create(folder: Path, path: Path, content: str) -> None:
    temporary = _temporary(folder, content, 0o600)
    try:
        os.link(temporary, path)  # unlike a rename, this fails when another caller was first
    except FileExistsError:
        pass
    finally:
        temporary.unlink()


def _temporary(folder: Path, content: str | bytes, mode: int) -> Path:
    handle, name = tempfile.mkstemp(prefix=".new-", dir=folder)  # O_EXCL, 0600
    with os.fdopen(handle, "wb") as stream:
        stream.write(content.encode() if isinstance(content, str) else content)
        os.fchmod(stream.fileno(), mode)
    return Path(name)
