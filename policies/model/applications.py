"""Argo CD's Applications and projects."""

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from policies.finding import Position
from policies.model.objects import CLUSTER_SCOPED, Object
from policies.model.shape import dig, mapping, sequence


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """One source of an Application; `path` is a folder of the repository, or of a chart's."""

    repository: str
    revision: str
    path: str
    chart: str

    @property
    def key(self) -> str:
        """The name under which its rendering is kept: the folder."""
        return posixpath.normpath(self.path) if self.path else f"{self.repository}#{self.chart}"


@dataclass(frozen=True, slots=True, eq=False)
class Application:
    """One Application of one environment."""

    object: Object
    sources: tuple[Source, ...]
    project: str
    server: str
    namespace: str
    automated: Mapping[str, Any] | None
    options: tuple[str, ...]

    @property
    def name(self) -> str:
        """metadata.name."""
        return self.object.name

    @property
    def wave(self) -> int:
        """The wave in which its parent applies it."""
        return self.object.wave

    def at(self, *path: str | int) -> Position:
        """The place in the sources."""
        return self.object.at(*path)

    @property
    def source_path(self) -> tuple[str, ...]:
        """Where its (first) source is written."""
        return ("spec", "source") if self.object.get("spec", "source") else ("spec", "sources")


class Project:
    """One AppProject."""

    def __init__(self, found: Object) -> None:
        self.object = found
        pairs = [
            (str(each.get("server", "")), str(each.get("namespace", "")))
            for each in map(mapping, sequence(found.get("spec", "destinations")))
        ]
        self._exact = frozenset(pairs)
        self._patterns = [pair for pair in pairs if "*" in "".join(pair)]

    def permits_source(self, repository: str) -> bool:
        """Whether Applications of it may read `repository`."""
        patterns = sequence(self.object.get("spec", "sourceRepos"))
        return any(_glob(repository, str(pattern)) for pattern in patterns)

    def permits_destination(self, server: str, namespace: str) -> bool:
        """Whether Applications of it may write to `namespace`."""
        return (server, namespace) in self._exact or any(
            _glob(server, each[0]) and _glob(namespace, each[1]) for each in self._patterns
        )

    def permits_kind(self, found: Object) -> bool:
        """Whether Applications of it may make this object."""
        field, empty = "namespaceResourceWhitelist", True
        if found.kind in CLUSTER_SCOPED:
            field, empty = "clusterResourceWhitelist", False
        listed = self.object.get("spec", field)
        if listed is None:
            return empty and not self._denied(found)
        return any(_listed(mapping(item), found) for item in sequence(listed)) and not self._denied(found)

    def _denied(self, found: Object) -> bool:
        cluster = found.kind in CLUSTER_SCOPED
        field = "clusterResourceBlacklist" if cluster else "namespaceResourceBlacklist"
        return any(_listed(mapping(item), found) for item in sequence(self.object.get("spec", field)))


def read_application(found: Object) -> Application:
    """Make an Application of an object of that kind."""
    spec = mapping(found.get("spec"))
    sources = [spec["source"]] if isinstance(spec.get("source"), Mapping) else sequence(spec.get("sources"))
    destination = mapping(spec.get("destination"))
    automated = dig(spec, "syncPolicy", "automated")
    return Application(
        object=found,
        sources=tuple(_source(mapping(each)) for each in sources),
        project=str(spec.get("project", "")),
        server=str(destination.get("server") or destination.get("name") or ""),
        namespace=str(destination.get("namespace", "")),
        automated=automated if isinstance(automated, Mapping) else None,
        options=tuple(map(str, sequence(dig(spec, "syncPolicy", "syncOptions")))),
    )


def _source(value: Mapping[str, Any]) -> Source:
    fields = ("repoURL", "targetRevision", "path", "chart")
    return Source(*(str(value.get(field) or "") for field in fields))


def _listed(item: Mapping[str, Any], found: Object) -> bool:
    pairs = ((found.group, item.get("group", "")), (found.kind, item.get("kind", "")))
    return all(fnmatchcase(value, str(pattern)) for value, pattern in pairs) and fnmatchcase(
        found.name, str(item.get("name") or "*")
    )


def _glob(value: str, pattern: str) -> bool:
    if pattern == "*":
        return True
    return re.fullmatch(re.escape(pattern).replace(r"\*", "[^/]*"), value) is not None
