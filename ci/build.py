"""Build the product's three images in the engine, in parallel, from one bake file."""

import configparser
import contextlib
import os
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from ci import git, schema, shell, supply
from ci.local import engine
from ci.problem import Problem
from ci.progress import Step, step
from ci.settings import IMAGES, Settings
from ci.version import Version

_CA_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
_PIP_KEYS = ("index-url", "extra-index-url", "trusted-host", "timeout", "retries")
"""What a build may take over from the host's pip; paths such as `cert` mean nothing in there."""


@dataclass(frozen=True, slots=True)
class Built:
    """What a build made: images of one version, from one revision, needing one schema head.

    The revision ends in `-dirty` where the work tree had changes; such images are never published.
    """

    version: Version
    revision: str
    schema_head: str
    images: tuple[str, ...]


def references(settings: Settings, version: Version) -> tuple[str, ...]:
    """Return the names of the images in the engine, in publishing order."""
    return tuple(f"{settings.wiring.registry}/{name}:{version}" for name in IMAGES)


def build(
    settings: Settings,
    version: Version,
    source: Path,
    committed: bool = False,
    cache: Mapping[str, str] = MappingProxyType({}),
) -> Built:
    """Build eks-app, eks-web and eks-migration of `version` from the work tree `source`.

    A clean tree is built from its commit, so that what is edited meanwhile cannot slip in; a tree
    with changes is built as it is, or with `committed` from its commit all the same. `cache` is ci.layercache's.
    Output goes to a log file that the error names.
    """
    if engine.version() is None:
        raise Problem("no Docker engine answers", fix="invoke bootstrap (it starts one)")
    commit = git.revision(source)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="slipway-build-")))
        dirty = not committed and bool(git.changes(source))
        tree = source
        if not dirty:
            tree = folder / "source"
            tree.mkdir()
            git.export(source, commit, "app", tree)
        built = Built(
            version,
            f"{commit}-dirty" if dirty else commit,
            schema.head(tree),
            references(settings, version),
        )
        given = secrets(os.environ, Path.home(), folder)
        _bake(settings, built, tree, {**cache, **{name: str(path) for name, path in given.items()}})
    return built


def _bake(settings: Settings, built: Built, tree: Path, given: Mapping[str, str]) -> None:
    log = settings.cache / "logs" / f"{settings.name}-build-{built.version}.log"
    log.unlink(missing_ok=True)
    argv = [str(supply.tool(settings, "docker-buildx")), "bake", "--file", "docker-bake.hcl"]
    argv += ["--progress", "plain"]
    variables = {
        "REGISTRY": settings.wiring.registry,
        "VERSION": str(built.version),
        "REVISION": built.revision,
        "SCHEMA_HEAD": built.schema_head,
        **given,
        # Newer releases ask before they read a secret's file; here the command itself named it.
        "BUILDX_BAKE_ENTITLEMENTS_FS": "0",
        # The engine's own builder, whichever one `docker buildx use` chose.
        "BUILDX_BUILDER": "default",
    }
    with step(f"build {', '.join(IMAGES)} {built.version}") as current, _follow(log, current):
        try:
            shell.run(*argv, cwd=tree / "app", env=variables, log=log, timeout=1800)
        except shell.CommandFailed as failure:
            raise Problem(
                f"the build of {built.version} failed: {_cause(failure.result.out)}", fix=f"read {log}"
            ) from None


def _cause(output: str) -> str:
    """Return the line that says why: the failing step's own last error, else the last line."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    telling = [line for line in lines if line.startswith(("ERROR:", "error:"))]
    return (telling or lines or ["it said nothing"])[-1]


@contextlib.contextmanager
def _follow(log: Path, current: Step) -> Iterator[None]:
    """Show the last line of a growing log beside the step."""
    stop = threading.Event()

    def follow() -> None:
        while not stop.wait(0.5):
            with contextlib.suppress(FileNotFoundError, ValueError, IndexError):
                current.note = _tail(log).splitlines()[-1].strip()[:100]

    follower = threading.Thread(target=follow, daemon=True)
    follower.start()
    try:
        yield
    finally:
        stop.set()
        follower.join()
        current.note = ""


def _tail(log: Path) -> str:
    with log.open("rb") as stream:
        stream.seek(max(0, log.stat().st_size - 2000))
        return stream.read().decode(errors="replace").strip()


def secrets(environment: Mapping[str, str], home: Path, folder: Path) -> dict[str, Path]:
    """Find the files a build may need on this host: CA_BUNDLE, and PIP_CONFIG with pip's settings.

    Both are optional; the names are the bake file's variables. They are mounted for the time of one step and never become part of an image.
    The pip settings are written anew to `folder`, without what only holds on the host.
    """
    found: dict[str, Path] = {}
    named = (environment.get(name, "") for name in ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE"))
    bundle = next((path for path in (*named, *_CA_BUNDLES) if path and Path(path).is_file()), None)
    if bundle:
        found["CA_BUNDLE"] = Path(bundle)
    options = pip_options(_pip_files(environment, home), environment)
    if options:
        config = folder / "pip.conf"
        config.touch(mode=0o600)
        config.write_text("[global]\n" + "".join(f"{key} = {text}\n" for key, text in options.items()))
        found["PIP_CONFIG"] = config
    return found


def pip_options(files: Sequence[Path], environment: Mapping[str, str]) -> dict[str, str]:
    """Return where pip looks for packages: later files win, and PIP_* variables win over files."""
    options: dict[str, str] = {}
    parser = configparser.RawConfigParser()
    parser.read(files)
    for key in _PIP_KEYS:
        text = environment.get("PIP_" + key.upper().replace("-", "_"), "")
        for section in ("global", "install"):
            text = text or parser.get(section, key, fallback="")
        if text:
            options[key] = " ".join(text.split())
    return options


def _pip_files(environment: Mapping[str, str], home: Path) -> list[Path]:
    named = environment.get("PIP_CONFIG_FILE")
    files = [Path("/etc/pip.conf"), home / ".pip/pip.conf", home / ".config/pip/pip.conf"]
    return [*files, Path(named)] if named else files
