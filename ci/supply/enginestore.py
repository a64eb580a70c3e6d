"""The door to images in the Docker engine: is it there, load, save, pull, push."""

import json
import tempfile
from pathlib import Path

from ci import shell

KEY_LABEL = "dev.slipway.key"


def key_of(reference: str) -> str | None:
    """Content key of a built image in the engine; "" for an image without one, None if absent."""
    found = shell.run(
        "docker", "image", "inspect", "--format", f'{{{{index .Config.Labels "{KEY_LABEL}"}}}}',
        reference, ok=(0, 1),
    )  # fmt: skip
    return found.out.strip() if found.code == 0 else None


def identity(reference: str) -> str:
    """The engine's id of an image, which stands for all of its content."""
    return shell.run("docker", "image", "inspect", "--format", "{{.Id}}", reference).out.strip()


def repo_digests(reference: str) -> list[str]:
    """Digests (`sha256:...`) under which registries know an image of the engine."""
    found = shell.run("docker", "image", "inspect", "--format", "{{json .RepoDigests}}", reference)
    return [entry.rpartition("@")[2] for entry in json.loads(found.out) or []]


def load(archive: Path) -> None:
    """Load an archive made by `save`."""
    shell.run("docker", "load", "--quiet", "--input", str(archive))


def save(reference: str, archive: Path) -> None:
    """Write an image to `archive`, whole or not at all."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    draft = archive.with_suffix(".part")
    shell.run("docker", "save", "--output", str(draft), reference)
    draft.rename(archive)


def copy_out(reference: str, path: str, target: Path) -> None:
    """Copy one file out of an image, without running it."""
    container = shell.run("docker", "create", reference, "none").out.strip()
    try:
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            copied = Path(folder) / "file"
            shell.run("docker", "cp", "--follow-link", f"{container}:{path}", str(copied))
            copied.chmod(0o755)
            copied.rename(target)
    finally:
        shell.run("docker", "rm", container)


def mirror_path(reference: str) -> str:
    """The repository and tag without registry host, as containerd asks the mirror for it.

    `quay.io/argoproj/argocd:v1` -> `argoproj/argocd:v1`.
    """
    host, _, rest = reference.partition("/")
    return rest if "." in host or ":" in host or host == "localhost" else reference
