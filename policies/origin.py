"""From a rendered object back to the line of a source that says so."""

from collections import defaultdict
from collections.abc import Callable
from functools import cached_property

from policies.finding import Position
from policies.kustomization import Graph
from policies.sources import Sources
from policies.yamltext import Document

Installer = Callable[[], Position]
"""The place of the Application that installs a folder of upstream's."""


class Origin:
    """Where the objects that one folder renders are written."""

    def __init__(
        self, sources: Sources, graph: Graph, folder: str, installer: Installer | None = None
    ) -> None:
        self._sources = sources
        self._graph = graph
        self._installer = installer
        self.folder = folder

    def ours(self, kind: str, name: str) -> bool:
        """Whether the object is written in this repository, and not upstream with our patches."""
        return any(
            _metadata(document) == (kind, name) and document.file not in self._patches
            for document in self._index.get((kind, name), ())
        )

    def at(self, kind: str, name: str, *path: str | int) -> Position:
        """The place that sets `path` of an object; else the object's; else the upstream reference."""
        candidates = self._index.get((kind, name), [])
        for document in candidates:
            if document.has(*path):
                return document.at(*path)
        if candidates:
            return candidates[-1].at(*path)
        found = self._generated(kind, name) or self._upstream
        if found is None and self._installer is not None and self.folder not in self._graph.kustomizations:
            return self._installer()
        return found or Position(self._own_file)

    def image(self, name: str) -> Position | None:
        """The `images` entry of the folder's own kustomization that sets the image `name`."""
        for each in self._graph.chain(self.folder):
            for number, entry in enumerate(each.value.get("images") or []):
                if isinstance(entry, dict) and name in (entry.get("newName"), entry.get("name")):
                    key = "newTag" if "newTag" in entry else "name"
                    return each.document.at("images", number, key)
        return None

    @cached_property
    def _patches(self) -> frozenset[str]:
        chain = self._graph.chain(self.folder)
        return frozenset(ref.target for each in chain for ref in each.references if ref.patch)

    @cached_property
    def _index(self) -> dict[tuple[str, str], list[Document]]:
        found = defaultdict(list)
        for file in self._graph.files(self.folder):
            for document in self._sources.documents(file):
                key = _metadata(document)
                if key is not None:
                    found[key].append(document)
        return found

    def _generated(self, kind: str, name: str) -> Position | None:
        field = {"ConfigMap": "configMapGenerator", "Secret": "secretGenerator"}.get(kind)
        if field is None:
            return None
        for each in self._graph.chain(self.folder):
            for number, entry in enumerate(each.value.get(field) or []):
                if isinstance(entry, dict) and name.startswith(str(entry.get("name"))):
                    return each.document.at(field, number, "name")
        return None

    @cached_property
    def _upstream(self) -> Position | None:
        for each in self._graph.chain(self.folder):
            if "helmCharts" in each.value:
                return each.document.at("helmCharts", 0)
            for reference in each.references:
                if reference.remote:
                    return reference.position
        return None

    @property
    def _own_file(self) -> str:
        each = self._graph.kustomizations.get(self.folder)
        return each.document.file if each else self.folder


def _metadata(document: Document) -> tuple[str, str] | None:
    value = document.value
    if not isinstance(value, dict) or not isinstance(value.get("metadata"), dict):
        return None
    return str(value.get("kind")), str(value["metadata"].get("name"))
