"""Every Application of every environment, rendered as Argo CD renders it, and kept by content."""

import posixpath
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from typing import Any

from ci import render
from ci.problem import Problem
from ci.supply import store
from ci.supply.catalogue import load as catalogue
from ci.validate.tree import Rendered, Tree
from policies.finding import Finding, Position
from policies.kustomization import Graph
from policies.model.applications import Source
from policies.model.shape import dig, mapping, scalars
from policies.model.system import BOOTSTRAP
from policies.rule import FAMILIES

PART = "render"
_WHY = "Argo CD cannot render it either: the Application stays as it was, and later changes wait behind this one."
_ID = "RENDER"
assert _ID not in FAMILIES
_UNREACHED = "the repository of chart {} of {} does not answer: its values are checked, not its output"


class _UnreachedError(Exception):
    """A chart is neither in the cache nor to be had."""


def everything(tree: Tree, pool: Executor) -> tuple[Rendered, list[Finding], bool]:
    """Render what bootstrap applies, the Applications that it holds, those that they hold, and so on.

    Returns documents by environment and folder, a finding for each that does not render, and whether all of it was
    kept from before. `tree.rendered` then stands for the documents in keys.
    """
    walk = _Walk(tree, pool)
    for environment in _environments(tree):
        walk.folder(environment, f"{BOOTSTRAP}/{environment}", None)
    walk.finish()
    tree.rendered = store.digest(*sorted(walk.keys))
    return walk.rendered, walk.findings, walk.kept


class _Walk:
    """One walk over all environments; renders of one generation run side by side."""

    def __init__(self, tree: Tree, pool: Executor) -> None:
        self._tree, self._pool = tree, pool
        self._graph = Graph(tree.sources)
        self._pending: list[tuple[str, str, Mapping[str, Any] | None]] = []
        self._seen: set[tuple[str, str]] = set()
        self.rendered: Rendered = {}
        self.findings: list[Finding] = []
        self.kept = True
        self.keys: list[str] = []

    def folder(self, environment: str, path: str, application: Mapping[str, Any] | None) -> None:
        if (environment, path) not in self._seen:
            self._seen.add((environment, path))
            self._pending.append((environment, path, application))

    def finish(self) -> None:
        while self._pending:
            batch, self._pending = self._pending, []
            for (environment, path, application), result in zip(
                batch, self._pool.map(self._render, batch), strict=True
            ):
                if isinstance(result, Problem):
                    self.findings.append(self._finding(path, application, result))
                    continue
                documents, kept = result
                self.kept &= kept
                if documents is None:
                    self._tree.notes.append(
                        _UNREACHED.format(dig(application, "spec", "source", "chart"), environment)
                    )
                    continue
                self.rendered.setdefault(environment, {})[path] = documents
                for document in documents:
                    if document.get("kind") == "Application":
                        self._application(environment, document)

    def _application(self, environment: str, document: Mapping[str, Any]) -> None:
        source = mapping(dig(document, "spec", "source"))
        repository, path, chart = (str(source.get(key) or "") for key in ("repoURL", "path", "chart"))
        if path or chart:
            self.folder(environment, Source(repository, "", path, chart).key, document)

    def _render(
        self, item: tuple[str, str, Mapping[str, Any] | None]
    ) -> tuple[list[Any] | None, bool] | Problem:
        environment, path, application = item
        key: list[str | bytes] = [path, *_upstream_key(self._tree)]
        try:
            if application is not None and dig(application, "spec", "source", "chart"):
                return self._chart(environment, key, dict(application))
            if application is not None and not path.startswith("gitops/"):
                document = dict(application)
                return self._kept(environment, [*key, repr(document)], lambda: self._upstream(document))
            if path not in self._graph.kustomizations:
                return Problem(f"{path} has no kustomization", fix="correct the Application's path")
            contents = self._tree.contents(self._inputs(path))
            return self._kept(environment, [*key, *contents], lambda: self._overlay(path))
        except Problem as problem:
            return problem

    def _kept(
        self, environment: str, key: list[str | bytes], make: Callable[[], list[Any]]
    ) -> tuple[list[Any], bool]:
        self.keys.append(f"{environment} {store.digest(*key)}")
        return self._tree.kept(PART, key, make)

    def _chart(
        self, environment: str, key: list[str | bytes], application: dict[str, Any]
    ) -> tuple[list[Any] | None, bool]:
        """Render the chart, or leave it out where its repository does not answer; that is not kept."""
        try:
            return self._kept(environment, [*key, repr(application)], lambda: self._reached(application))
        except _UnreachedError:
            self.keys.append(f"{environment} without {application['metadata']['name']}")
            return None, True

    def _reached(self, application: dict[str, Any]) -> list[Any]:
        documents = render.chart(self._tree.settings, application)
        if documents is None:
            raise _UnreachedError
        return list(documents)

    def _upstream(self, application: dict[str, Any]) -> list[Any]:
        return list(render.upstream(self._tree.settings, application))

    def _overlay(self, path: str) -> list[Any]:
        settings = self._tree.settings
        return list(render.overlay(settings, self._tree.root / path, render.mirrors(settings)))

    def _inputs(self, path: str) -> list[str]:
        """Files that the folder is rendered from: what the graph reaches, and whatever else a word names."""
        found = set(self._graph.files(path))
        for each in self._graph.chain(path):
            for word in filter(lambda value: isinstance(value, str), scalars(each.value)):
                named = posixpath.normpath(posixpath.join(each.folder, word))
                found |= {named} & self._tree.files.keys()
        return sorted(found)

    def _finding(self, path: str, application: Mapping[str, Any] | None, problem: Problem) -> Finding:
        each = self._graph.kustomizations.get(path)
        if each is not None:
            position = Position(each.document.file)
        else:
            position = self._named(str(dig(application, "metadata", "name")))
        what, fix = (text.replace(f"{self._tree.root}/", "") for text in (problem.what, problem.fix))
        return Finding(position, _ID, what, _WHY, fix, PART)

    def _named(self, name: str) -> Position:
        """The place of the path in the Application's own file."""
        files = self._tree.paths(".yaml", under="gitops/")
        for document in (each for file in files for each in self._tree.sources.documents(file)):
            named = (dig(document.value, "kind"), dig(document.value, "metadata", "name"))
            if named == ("Application", name) and document.has("spec", "source"):
                return document.at(
                    "spec", "source", "path" if document.has("spec", "source", "path") else "chart"
                )
        return Position("gitops")


def _environments(tree: Tree) -> list[str]:
    prefix = f"{BOOTSTRAP}/"
    return sorted(
        {name.removeprefix(prefix).partition("/")[0] for name in tree.files if name.startswith(prefix)}
    )


def _upstream_key(tree: Tree) -> list[str]:
    """What decides upstream's manifests and the tools: the catalogue's versions."""
    loaded = catalogue()
    used = ("kustomize", "helm", *(mirror.component for mirror in loaded.mirrors.values()))
    return [repr(loaded.components[name].version) for name in used] + [repr(sorted(loaded.mirrors.items()))]
