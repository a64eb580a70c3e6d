"""The tree that is validated: its files, what they render, and the cache of what was found before."""

import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ci.settings import Settings
from ci.supply import store
from policies import loader
from policies.finding import Finding, Position
from policies.model.system import System
from policies.sources import Sources

_KEEP_SECONDS = 30 * 86_400
_FORMAT = "1"
"""Part of every key: raise it when the shape of what is kept changes."""

Rendered = dict[str, dict[str, list[dict[str, Any]]]]
"""Environment to folder to documents."""


@dataclass
class Tree:
    """One work tree; `notes` are what was left out on purpose, `rendered` is a digest of what it renders."""

    settings: Settings
    root: Path
    files: loader.Files
    notes: list[str] = field(default_factory=list)
    rendered: str = ""

    @cached_property
    def sources(self) -> Sources:
        """The files, read and parsed."""
        return Sources(self.files)

    def paths(self, *suffixes: str, under: str = "") -> list[str]:
        """Paths of files by ending, below a folder."""
        return [name for name in self.files if name.startswith(under) and name.endswith(suffixes)]

    def contents(self, names: Iterable[str]) -> list[str | bytes]:
        """Names and contents, for a key."""
        parts: list[str | bytes] = []
        for name in names:
            found = self.files.get(name)
            parts += [name, found if isinstance(found, bytes) else repr(found)]
        return parts

    def kept(self, part: str, key: Iterable[str | bytes], make: Callable[[], Any]) -> tuple[Any, bool]:
        """Return what `make` returned for this key before, or now; and whether it was kept."""
        path = self.settings.cache / "validate" / f"{part}-{store.digest(_FORMAT, *key)}.json"
        try:
            found = json.loads(path.read_bytes())
            path.touch()
            return found, True
        except (OSError, ValueError):
            made = make()
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{id(made)}.part")
        draft.write_text(json.dumps(made))
        draft.replace(path)
        return made, False


def prune(settings: Settings) -> None:
    """Remove what was not made or used for a month."""
    for path in (settings.cache / "validate").glob("*.json"):
        if time.time() - path.stat().st_mtime > _KEEP_SECONDS:
            path.unlink(missing_ok=True)


def load(settings: Settings, root: Path) -> Tree:
    """Read the tree below `root`."""
    return Tree(settings, root, loader.read(root))


def system(tree: Tree, rendered: Rendered) -> System:
    """The system that the policies ask about."""
    return System(tree.sources, rendered)


def plain(findings: Iterable[Finding]) -> list[Mapping[str, Any]]:
    """Findings as data, for the cache."""
    return [
        {
            "at": [each.position.file, each.position.line, each.position.column],
            "id": each.id, "message": each.message, "why": each.why, "fix": each.fix, "part": each.part,
        }
        for each in findings
    ]  # fmt: skip


def findings(data: Iterable[Mapping[str, Any]]) -> list[Finding]:
    """The reverse of `plain`."""
    return [
        Finding(Position(*each["at"]), each["id"], each["message"], each["why"], each["fix"], each["part"])
        for each in data
    ]
