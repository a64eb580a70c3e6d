"""Supply: every third-party image and tool, pulled where upstream answers, built where not."""

import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ci import shell
from ci.local import secret
from ci.oci import Archive, Blobs, Credentials, Registry, upload
from ci.problem import Problem
from ci.progress import clock, console, step
from ci.settings import Settings
from ci.supply import enginestore, golang, images, node, pull, store
from ci.supply.catalogue import Component, load

MODES = ("auto", "pull", "build")
_IDENTITY = "dev.slipway.image-id"
"""Annotation on what we publish: the engine's id of the image, to know it again."""


def mode() -> str:
    """How components are obtained: SLIPWAY_SUPPLY, one of auto, pull and build."""
    chosen = os.environ.get("SLIPWAY_SUPPLY", "auto")
    if chosen not in MODES:
        raise Problem(f"SLIPWAY_SUPPLY '{chosen}' is not a mode", fix=f"set one of: {', '.join(MODES)}")
    return chosen


def tool(settings: Settings, name: str) -> Path:
    """Return the program of component `name`, making it first when it is missing."""
    component = load().get({"docker-buildx": "buildx"}.get(name, name))
    target = _tool_path(settings, component)
    if not target.exists():
        ensure(settings, [component.name])
    return target


def image(settings: Settings, name: str) -> str:
    """Return the image of component `name` as the engine knows it, making it first when missing."""
    component = load().get(name)
    if component.image is None:
        raise Problem(f"component '{name}' is not an image", fix="ask for one with an image")
    if not _present(settings, component):
        ensure(settings, [name])
    return component.image


def ensure(settings: Settings, names: Iterable[str]) -> None:
    """Have the named components ready: images in the engine, tools in the cache.

    What is missing is taken from the cache, pulled, or built, in the catalogue's order; a kill at
    any point loses only the component that was being made.
    """
    names = list(names)
    with store.locked(settings.cache):
        work = _missing(settings, names)
        left = sum(component.seconds for component in work)
        if len(work) > 1:
            console.print(f"supply: {len(work)} components to make, about {clock(left)}")
        for component in work:
            way = how(component)
            with step(f"{way} {component.name} {component.version}", component.seconds) as current:
                current.note = f"all supply about {clock(left)}" if len(work) > 1 else ""
                try:
                    _make(settings, component, way)
                except shell.CommandFailed as error:
                    raise Problem(
                        f"{way} of {component.name} failed: {error.last_words}",
                        fix=f"read {settings.cache}/logs/{component.name}*.log, then run it again",
                    ) from error
                current.note = ""
            left -= component.seconds


def publish(settings: Settings, names: Iterable[str]) -> None:
    """Push images to the environment's registry, under upstream's path, where it lacks them.

    Layers are compressed once and kept in the cache, so a new environment costs a copy.
    """
    login = Credentials("bootstrap", secret.value(settings, secret.REGISTRY_BOOTSTRAP))
    with Registry(f"http://{settings.push_registry}", login) as registry:
        for name in names:
            reference = image(settings, name)
            repository, _, tag = enginestore.mirror_path(reference).rpartition(":")
            identity = enginestore.identity(reference)
            found = registry.manifest(repository, tag)
            if found is not None and found.annotations.get(_IDENTITY) == identity:
                continue
            with (
                step(f"publish {repository}:{tag} to the local registry"),
                _saved(settings, name) as path,
                Archive(path) as archive,
            ):
                (saved,) = archive.images()
                blobs, notes = Blobs(settings.cache / "blobs"), {_IDENTITY: identity}
                ready = upload(registry, blobs, repository, saved, notes)
                registry.put_manifest(repository, tag, ready.manifest)


@contextmanager
def _saved(settings: Settings, name: str) -> Iterator[Path]:
    """The archive of an image: the cache's own where it was built, else a passing one."""
    component = load().get(name)
    if _cached(settings, component) and enginestore.key_of(str(component.image)):
        yield _archive(settings, component)
        return
    passing = settings.state / "tmp" / f"{name}.tar"
    enginestore.save(str(component.image), passing)
    try:
        yield passing
    finally:
        passing.unlink()


def clear(settings: Settings) -> None:
    """Remove everything that was downloaded or built, the Go caches included."""
    for name in ("bin", "images", "mirrors", "work", "toolchain", "logs", "blobs", "go", "validate"):
        folder = settings.cache / name
        for path in (folder / "mod").rglob("*") if name == "go" else ():
            if path.is_dir():
                path.chmod(0o755)  # Go makes its module cache read-only
        shutil.rmtree(folder, ignore_errors=True)
    (settings.cache / "journal.json").unlink(missing_ok=True)
    for component in load().components.values():
        if component.image is not None and enginestore.key_of(component.image):
            shell.run("docker", "image", "rm", component.image, ok=(0, 1))


def shares(settings: Settings) -> list[tuple[str, str, float]]:
    """(component, pull or build, seconds) as last made on this machine, in the order of work."""
    journal = store.read_journal(settings.cache)
    return [
        (name, str(journal[name]["mode"]), float(journal[name]["seconds"]))
        for name in ("toolchain", *load().components)
        if name in journal
    ]


def _missing(settings: Settings, names: list[str]) -> list[Component]:
    """What has to be made, in order; helpers of a build only where that build happens."""
    wanted = {component.name for component in load().in_order(names)}
    roots = set(names)
    work: list[Component] = []
    for component in reversed(list(load().components.values())):
        if component.name not in wanted or _present(settings, component):
            continue
        if component.name not in roots and not any(
            component.name in user.uses and not _pullable(user) and not _cached(settings, user)
            for user in work
        ):
            continue
        work.append(component)
    if any(c.image and not _pullable(c) and not _cached(settings, c) for c in work):
        for name in ("buildx", "debian"):
            base = load().get(name)
            if base not in work and not _present(settings, base):
                work.append(base)
    order = list(load().components)
    return sorted(work, key=lambda component: order.index(component.name))


def how(component: Component) -> str:
    """`pull` or `build`: how the component would be obtained now."""
    return "pull" if _pullable(component) else "build"


def _pullable(component: Component) -> bool:
    if mode() == "build" or component.upstream is None:
        return False
    reference = pull.upstream_of(component)
    return reference is not None and (mode() == "pull" or pull.answers(reference))


def _present(settings: Settings, component: Component) -> bool:
    if component.image is None:
        if component.go is not None and component.pull is None:
            return (settings.cache / "bin" / f"{component.name}-{golang.key(component)}").is_dir()
        return _tool_path(settings, component).exists()
    found = enginestore.key_of(component.image)
    if found == "":  # an image without our key was pulled
        return component.upstream is not None and mode() != "build"
    return found == images.key(component)


def _archive(settings: Settings, component: Component) -> Path:
    return settings.cache / "images" / f"{component.name}-{images.key(component)}.tar"


def _cached(settings: Settings, component: Component) -> bool:
    return component.image is not None and _archive(settings, component).exists()


def _tool_path(settings: Settings, component: Component) -> Path:
    if component.go is not None:
        folder = settings.cache / "bin" / f"{component.name}-{golang.key(component)}"
        last = component.go.packages[0].rpartition("/")[2]
        built = component.go.module.removesuffix("/v5").rpartition("/")[2] if last == "." else last
        return folder / built
    return settings.cache / "bin" / f"{component.name}-{store.digest(repr(component))}" / component.name


def _make(settings: Settings, component: Component, way: str) -> None:
    started = time.monotonic()
    if _cached(settings, component) and way == "build":
        enginestore.load(_archive(settings, component))
        return
    if way == "pull":
        _pull(settings, component)
    else:
        _BUILDERS[component.how](settings, component)
        if component.image is not None:
            _keep(settings, component)
    store.record(settings.cache, component.name, images.key(component), way, time.monotonic() - started)


def _keep(settings: Settings, component: Component) -> None:
    archive = _archive(settings, component)
    for old in archive.parent.glob(f"{component.name}-????????????????.tar"):
        old.unlink()
    assert component.image is not None
    enginestore.save(component.image, archive)


def _pull(settings: Settings, component: Component) -> None:
    reference = pull.upstream_of(component)
    assert reference is not None
    pull.pull(settings, component, reference)
    if component.image is None:
        target = _tool_path(settings, component)
        target.parent.mkdir(parents=True, exist_ok=True)
        assert component.path is not None
        enginestore.copy_out(reference, component.path, target)


def _build_go(settings: Settings, component: Component) -> None:
    golang.build(settings, component)


def _build_deb(settings: Settings, component: Component) -> None:
    images.debian_program(settings, component, _tool_path(settings, component))


def _build_recipe(settings: Settings, component: Component) -> None:
    images.build_recipe(settings, component, _tool_path(settings, load().get("buildx")))


def _build_node(settings: Settings, component: Component) -> None:
    node.build(settings, component, _tool_path(settings, load().get("buildx")))


_BUILDERS: dict[str, Callable[[Settings, Component], None]] = {
    "debootstrap": images.build_debian,
    "deb": _build_deb,
    "go": _build_go,
    "dockerfile": _build_recipe,
    "node": _build_node,
}
