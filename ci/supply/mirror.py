"""Upstream manifests as git repositories, made from the pinned modules."""

import re
from pathlib import Path

from ci import shell
from ci.problem import Problem
from ci.settings import Settings
from ci.supply import golang, store
from ci.supply.catalogue import Component, Mirror, load

_WHO = {
    "GIT_AUTHOR_NAME": "slipway", "GIT_AUTHOR_EMAIL": "slipway@localhost",
    "GIT_COMMITTER_NAME": "slipway", "GIT_COMMITTER_EMAIL": "slipway@localhost",
    "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z", "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z",
    "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null",
}  # fmt: skip


def repository(settings: Settings, name: str) -> Path:
    """Return a bare repository with the mirror's folders at the component's version tag.

    The commit is the same on every machine: contents come from the module that go.sum pins,
    names and dates are fixed.
    """
    mirror = load().mirrors[name]
    component = load().get(mirror.component)
    declared = f"-{store.digest(repr(mirror))}" if mirror.without else ""
    target = settings.cache / "mirrors" / f"{name}-{golang.key(component)}{declared}.git"
    return store.once(target, lambda bare: _commit(settings, mirror, component, bare))


def _commit(settings: Settings, mirror: Mirror, component: Component, bare: Path) -> None:
    source = golang.module_folder(settings, component)
    with store.scratch(settings.cache) as tree:
        for folder in mirror.folders:
            golang.copy(source / folder, tree / folder)
        for declared in mirror.without:
            _leave_out(tree, declared)
        git = ("git", "--git-dir", str(bare), "--work-tree", str(tree))
        shell.run("git", "init", "--quiet", "--bare", "--initial-branch", "main", str(bare), env=_WHO)
        shell.run(*git, "add", "--all", "--force", cwd=tree, env=_WHO)
        shell.run(*git, "commit", "--quiet", "-m", f"{mirror.repository} {component.version}", env=_WHO)
        shell.run(*git, "tag", component.version, env=_WHO)


def _leave_out(tree: Path, declared: str) -> None:
    """Remove `FILE`, or the block of top-level key `FILE:KEY` of a YAML file, which must be there."""
    name, _, key = declared.partition(":")
    path = tree / name
    if not key:
        path.unlink()
        return
    block = re.compile(rf"^{re.escape(key)}:.*\n(?:[ \t-].*\n|\n)*", re.MULTILINE)
    text, found = block.subn("", path.read_text())
    if found != 1:
        raise Problem(f"{name} has no block '{key}'", fix="correct the mirror's `without`")
    path.write_text(text)
