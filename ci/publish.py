"""Publish a version once: migration, web, and last the app, whose tag makes it a release."""

import contextlib
import fcntl
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ci import git, shell
from ci.build import build, references
from ci.ecr import login as ecr_login
from ci.local import aws, engine
from ci.oci import Archive, Blobs, Image, Manifest, Registry, RegistryError, upload
from ci.oci.archive import labels
from ci.problem import Problem
from ci.progress import step
from ci.settings import IMAGES, ROOT, Settings
from ci.version import Version, parse

VERSION = "org.opencontainers.image.version"
REVISION = "org.opencontainers.image.revision"
TITLE = "org.opencontainers.image.title"
SCHEMA_HEAD = "dev.slipway.schema-head"
DIGEST_OF = {"eks-migration": "dev.slipway.image.migration", "eks-web": "dev.slipway.image.web"}
"""Annotations of the app's manifest: the release as one record."""
_KEEP_DAYS = 60


@dataclass(frozen=True, slots=True)
class Release:
    """A published version: the record that the app's manifest carries, and its own digest."""

    version: Version
    revision: str
    schema_head: str
    digests: dict[str, str]
    """Image name -> manifest digest, for all three."""


@contextlib.contextmanager
def registry(settings: Settings) -> Iterator[Registry]:
    """Open the environment's registry; Problem where none answers."""
    login = ecr_login(lambda: aws.client(settings, "ecr"))
    with Registry(f"http://{settings.push_registry}", login) as opened:
        if not opened.answers():
            raise Problem(f"no registry answers at {settings.push_registry}", fix="invoke bootstrap")
        try:
            yield opened
        except RegistryError as failure:
            raise Problem(
                f"the registry failed: {failure}",
                fix="run the same command again; what was published is kept",
            ) from failure


def versions(opened: Registry) -> tuple[Version, ...]:
    """Return the published versions, highest first: those whose app image has its tag."""
    found = (Version.read(tag) for tag in opened.tags(IMAGES[-1]))
    return tuple(sorted((version for version in found if version), reverse=True))


def released(opened: Registry, version: Version) -> Release | None:
    """Read the record of a published version; None where it is not published."""
    app = opened.manifest(IMAGES[-1], str(version))
    if app is None:
        return None
    notes = app.annotations
    digests = {name: notes.get(key, "") for name, key in DIGEST_OF.items()}
    return Release(
        version, notes.get(REVISION, ""), notes.get(SCHEMA_HEAD, ""), {**digests, IMAGES[-1]: app.digest}
    )


@contextlib.contextmanager
def exclusive(settings: Settings, version: Version) -> Iterator[None]:
    """Hold the right to publish; it ends with the process, however that ends.

    One release at a time, not one per version: two versions published side by side could appear
    in the wrong order. Where clones on several machines share a registry, its immutable tags and
    the git tag decide.
    """
    folder = settings.state / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "publish").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise Problem(
                f"{lock.read().strip() or 'another version'} is being released right now",
                fix="wait until that command ends, then run this one again",
            ) from None
        lock.truncate(0)
        lock.write(str(version))
        lock.flush()
        yield


def check_new(opened: Registry, version: Version, revision: str) -> None:
    """Refuse a version that is published, or that another revision began to publish."""
    if opened.digest(IMAGES[-1], str(version)):
        raise Problem(
            f"{version} is already published, and a version is never published twice",
            fix=f"take the next version, {version.next()}; where this one is: invoke status",
        )
    for name in IMAGES[:-1]:
        _begun(opened, name, version, revision)


def publish(settings: Settings, version: str, source: Path = ROOT, building: bool = True) -> Release:
    """Publish the commit of the work tree `source` as `version`.

    The images are built first, or with `building` off taken as the engine has them, if they come
    from that commit. Nothing is shipped before the app's manifest is there, which is one request.
    What an interrupted run of the same commit left is kept and not sent again.
    """
    wanted = parse(version)
    commit = git.revision(source)
    with registry(settings) as opened, exclusive(settings, wanted):
        check_new(opened, wanted, commit)
        if building:
            build(settings, wanted, source, committed=True)
        with saved(settings, wanted) as find:
            return push(settings, opened, wanted, commit, find)


@contextlib.contextmanager
def saved(settings: Settings, version: Version) -> Iterator[Callable[[str], Image]]:
    """Save the engine's images of `version`; yield the look-up by image name.

    The caller holds the lock.
    """
    if engine.version() is None:
        raise Problem("no Docker engine answers", fix="invoke bootstrap (it starts one)")
    scratch = settings.state / "tmp"
    # The caller holds the lock, so what lies there was left by a command that was killed.
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    named = dict(zip(IMAGES, references(settings, version), strict=True))
    with tempfile.TemporaryDirectory(dir=scratch, prefix="save-") as folder:
        path = Path(folder) / "images.tar"
        with step(f"save {version} from the engine"):
            try:
                shell.run("docker", "image", "inspect", "--format", "{{.Id}}", *named.values())
                shell.run("docker", "save", "--output", str(path), *named.values())
            except shell.CommandFailed as failure:
                if "No such image" not in failure.result.err:
                    raise
                raise Problem(f"{version} is not built", fix=f"invoke build --version {version}") from None
        with Archive(path) as archive:
            yield lambda name: archive.image(named[name])


def push(
    settings: Settings,
    opened: Registry,
    version: Version,
    commit: str,
    find: Callable[[str], Image],
) -> Release:
    """Upload and tag migration, web and app, in this order. The caller holds the lock."""
    blobs = Blobs(settings.cache / "blobs")
    head = find(IMAGES[-1]).labels.get(SCHEMA_HEAD, "")
    digests: dict[str, str] = {}
    for name in IMAGES:
        image = find(name)
        _check_origin(image, name, version, commit)
        with step(f"publish {name} {version}") as current:
            if kept := _begun(opened, name, version, commit):
                digests[name] = kept.digest
                current.note = "already there from the interrupted run"
                continue
            notes = {VERSION: str(version), REVISION: commit, TITLE: name}
            if name == IMAGES[-1]:
                notes |= {DIGEST_OF[part]: digest for part, digest in digests.items()}
                notes[SCHEMA_HEAD] = head
            mount = IMAGES[0] if name != IMAGES[0] else None
            ready = upload(opened, blobs, name, image, notes, mount)
            digests[name] = opened.put_manifest(name, str(version), ready.manifest)
            current.note = f"{ready.sent / 1e6:.1f} MB sent"
    blobs.prune(_KEEP_DAYS)
    return Release(version, commit, head, digests)


def _begun(opened: Registry, name: str, version: Version, commit: str) -> Manifest | None:
    """Return what an interrupted run left under the version; Problem where it is another's."""
    manifest = opened.manifest(name, str(version))
    if manifest is None:
        return None
    revision = labels(opened.config(name, manifest)).get(REVISION, "unknown")
    if revision != commit:
        raise Problem(
            f"{name} {version} is already there, from revision {revision[:12]} and not {commit[:12]}",
            fix=f"take the next version, {version.next()}, or release {version} from that revision",
        )
    return manifest


def _check_origin(image: Image, name: str, version: Version, commit: str) -> None:
    found = image.labels
    if (found.get(VERSION), found.get(REVISION)) != (str(version), commit):
        raise Problem(
            f"the engine's {name} {version} was built from {found.get(REVISION, 'an unknown revision')},"
            f" not from {commit}",
            fix=f"commit all changes, then: invoke build --version {version}",
        )
