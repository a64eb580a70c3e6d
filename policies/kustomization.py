"""Kustomizations as a graph: which files a folder's rendering is made of."""

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from policies.finding import Position
from policies.sources import Sources
from policies.yamltext import Document, Path

NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_RESOURCES = ("resources", "bases", "components", "transformers", "generators", "validators")
_LISTS = (*_RESOURCES, "crds", "configurations", "patchesStrategicMerge")
_PATHS = (("patches", "path"), ("patchesJson6902", "path"), ("replacements", "path"))
_GENERATORS = ("configMapGenerator", "secretGenerator")


@dataclass(frozen=True, slots=True)
class Reference:
    """What a kustomization names: a path in the repository, or an upstream URL."""

    document: Document
    path: Path
    text: str
    target: str
    remote: bool
    patch: bool

    @property
    def position(self) -> Position:
        """The place of the name."""
        return self.document.at(*self.path)


@dataclass(frozen=True, slots=True)
class Kustomization:
    """One kustomization file and what it names."""

    folder: str
    document: Document
    references: tuple[Reference, ...]

    @property
    def value(self) -> dict[str, Any]:
        """The file's contents."""
        return self.document.value if isinstance(self.document.value, dict) else {}


class Graph:
    """Every kustomization of the tree."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    @cached_property
    def kustomizations(self) -> dict[str, Kustomization]:
        """Folder to its kustomization."""
        found = {}
        for name in self._sources.under("gitops", *NAMES):
            document = self._sources.document(name)
            if posixpath.basename(name) in NAMES and document is not None:
                folder = posixpath.dirname(name)
                found[folder] = Kustomization(folder, document, tuple(_references(folder, document)))
        return found

    def missing(self) -> Iterator[Reference]:
        """References to nothing."""
        for each in self.kustomizations.values():
            for reference in each.references:
                there = reference.target in self._sources.names or self._folder(reference.target)
                if not reference.remote and not there:
                    yield reference

    def cycles(self) -> Iterator[Reference]:
        """The references of every circle, each of which could be the one that is too much."""
        done: set[str] = set()
        if not any(self._circular(folder, (), done) for folder in self.kustomizations):
            return
        for folder, each in self.kustomizations.items():
            for reference in each.references:
                if folder in self._folders(reference.target):
                    yield reference

    def files(self, folder: str) -> list[str]:
        """Files that `folder` is rendered from, the ones that win first: patches before bases."""
        found: dict[str, None] = {}
        self._collect(folder, found, set())
        return list(found)

    def chain(self, folder: str) -> list[Kustomization]:
        """The kustomization of `folder` and those below it, nearest first."""
        return [self.kustomizations[each] for each in self._folders(folder)]

    def _folders(self, folder: str) -> list[str]:
        found: dict[str, None] = {}
        queue = [folder]
        while queue:
            current = queue.pop(0)
            if current in found or current not in self.kustomizations:
                continue
            found[current] = None
            queue += [each.target for each in self.kustomizations[current].references if not each.remote]
        return list(found)

    def _collect(self, folder: str, found: dict[str, None], seen: set[str]) -> None:
        if folder in seen or folder not in self.kustomizations:
            return
        seen.add(folder)
        each = self.kustomizations[folder]
        found[each.document.file] = None
        local = [reference for reference in each.references if not reference.remote]
        for reference in reversed(local):
            if reference.patch:
                found[reference.target] = None
        for reference in local:
            if not reference.patch and reference.target in self._sources.names:
                found[reference.target] = None
        for reference in local:
            self._collect(reference.target, found, seen)

    def _circular(self, folder: str, above: tuple[str, ...], done: set[str]) -> bool:
        if folder in above:
            return True
        if folder in done or folder not in self.kustomizations:
            return False
        done.add(folder)
        references = self.kustomizations[folder].references
        return any(self._circular(each.target, (*above, folder), done) for each in references)

    def _folder(self, path: str) -> bool:
        return path in self.kustomizations or any(f"{path}/{name}" in self._sources.names for name in NAMES)


def _references(folder: str, document: Document) -> Iterator[Reference]:
    value = document.value if isinstance(document.value, dict) else {}
    for field in _LISTS:
        for number, text in enumerate(_list(value.get(field))):
            yield from _reference(folder, document, (field, number), text, field == "patchesStrategicMerge")
    for field, key in (*_PATHS, ("helmCharts", "valuesFile")):
        for number, item in enumerate(_list(value.get(field))):
            if isinstance(item, dict) and key in item:
                yield from _reference(
                    folder, document, (field, number, key), item[key], (field, key) in _PATHS
                )
    for field in _GENERATORS:
        for number, item in enumerate(_list(value.get(field))):
            yield from _generated(folder, document, (field, number), item)


def _generated(folder: str, document: Document, path: Path, item: Any) -> Iterator[Reference]:
    """Files that a generator reads: `key=file`, or `file`."""
    for kind in ("files", "envs"):
        for index, text in enumerate(_list(item.get(kind) if isinstance(item, dict) else None)):
            name = text.rpartition("=")[2] if isinstance(text, str) else text
            yield from _reference(folder, document, (*path, kind, index), name, False)


def _reference(folder: str, document: Document, path: Path, text: Any, patch: bool) -> Iterator[Reference]:
    if not isinstance(text, str) or "\n" in text:  # written out in place
        return
    remote = "://" in text or "?ref=" in text or text.startswith(("github.com/", "git@"))
    target = text if remote else posixpath.normpath(posixpath.join(folder, text))
    yield Reference(document, path, text, target, remote, patch)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
