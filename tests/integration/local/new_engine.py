"""A Docker engine as new as a workflow's runner has: with nothing in it but the base image."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ci import shell, supply, waiting
from ci.local import ecr, engine
from ci.settings import Settings, load
from ci.supply.images import buildx_build

_RECIPE = Path(__file__).parent / "runner"
_NOWHERE = "192.0.2.1"
"""An address for documentation: no name server there, and an engine ignores one on 127.0.0.1."""
_WRAPPER = "/usr/local/bin/slipway-runc"


@contextmanager
def new_engine(settings: Settings) -> Iterator[str]:
    """Start one in the environment's network and yield its DOCKER_HOST; it ends with the block, with all it made.

    It reaches the registry under the machine's own address for it, and resolves no name: a build that installs a package
    there fails, and one that passes took that layer over.
    """
    name, base = settings.container("runner"), supply.image(settings, "debian")
    # Not below pytest's folder: the path of a socket has 108 bytes at most.
    folder = Path(tempfile.mkdtemp(prefix="slipway-runner-"))
    host = f"unix://{folder}/docker.sock"
    image, runc = _image(), engine.wrapper(load())
    mounted = ["--volume", f"{runc}:{_WRAPPER}:ro"] if runc else []
    chosen = ["--add-runtime", f"slipway={_WRAPPER}", "--default-runtime", "slipway"] if runc else []
    shell.run("docker", "rm", "--force", "--volumes", name, ok=(0, 1))
    try:
        shell.run(
            "docker", "run", "--detach", "--name", name, "--privileged", "--network", settings.network,
            "--label", f"slipway={settings.name}", "--volume", f"{folder}:{folder}", *mounted,
            "--env", f"PORT={settings.registry_port}", "--env", f"REGISTRY={ecr.ALIAS}:{ecr.PORT}", image,
            "--host", host, "--group", str(os.getgid()), "--dns", _NOWHERE, *chosen,
        )  # fmt: skip
        waiting.until(
            lambda: _trouble(name, host),
            what="the second engine did not start",
            seconds=60,
            fix=f"docker logs {name}",
        )
        saved = folder / "base.tar"
        shell.run("docker", "save", "--output", str(saved), base)
        shell.run("docker", "--host", host, "load", "--input", str(saved))
        yield host
    finally:
        shell.run("docker", "rm", "--force", "--volumes", name, ok=(0, 1))
        shutil.rmtree(folder, ignore_errors=True)


def _trouble(name: str, host: str) -> str | None:
    if shell.run("docker", "--host", host, "version", ok=(0, 1)).code == 0:
        return None
    said = shell.run("docker", "logs", "--tail", "3", name)
    return (said.out + said.err).strip()


def _image() -> str:
    key = hashlib.sha256((_RECIPE / "Dockerfile").read_bytes()).hexdigest()[:16]
    tag = f"slipway-test/runner:{key}"
    settings = load()
    if shell.run("docker", "image", "inspect", tag, ok=(0, 1)).code:
        buildx_build(settings, supply.tool(settings, "docker-buildx"), "runner", _RECIPE, tag, key)
    return tag
