"""What Image Updater is told to track, and where it writes."""

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from policies.finding import Position
from policies.model.objects import Object, split_image
from policies.model.shape import dig, mapping, sequence
from policies.model.system import Environment


@dataclass(frozen=True, slots=True)
class Tracked:
    """One tracked image: its name without constraint, and kustomize's name for it."""

    number: int
    name: str
    kustomize: str | None
    allow_tags: str


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """One entry of applicationRefs."""

    updater: Object
    number: int
    pattern: str
    images: tuple[Tracked, ...]
    method: str
    target: str

    def at(self, *path: str | int) -> Position:
        """The place of a field of the entry."""
        return self.updater.at("spec", "applicationRefs", self.number, *path)

    @property
    def folder(self) -> str | None:
        """The folder whose kustomization is written; None where the method is not git."""
        if not self.method.startswith("git"):
            return None
        kind, _, path = self.target.partition(":")
        return posixpath.normpath(path.lstrip("/")) if kind == "kustomization" else None


def references(environment: Environment) -> Iterator[Reference]:
    """Every reference of every ImageUpdater."""
    for updater in environment.kind("ImageUpdater"):
        spec = mapping(updater.get("spec"))
        for number, entry in enumerate(sequence(spec.get("applicationRefs"))):
            write = {**mapping(spec.get("writeBackConfig")), **mapping(dig(entry, "writeBackConfig"))}
            allow = dig(entry, "commonUpdateSettings", "allowTags") or dig(
                spec, "commonUpdateSettings", "allowTags"
            )
            yield Reference(
                updater, number, str(dig(entry, "namePattern") or ""),
                tuple(_images(entry, str(allow or ""))),
                str(write.get("method") or "argocd"), str(dig(write, "gitConfig", "writeBackTarget") or ""),
            )  # fmt: skip


def _images(entry: Any, allow: str) -> Iterator[Tracked]:
    for number, image in enumerate(sequence(dig(entry, "images"))):
        own = dig(image, "commonUpdateSettings", "allowTags")
        kustomize = dig(image, "manifestTargets", "kustomize", "name")
        name = split_image(str(dig(image, "imageName") or ""))[0]
        yield Tracked(number, name, None if kustomize is None else str(kustomize), str(own or allow))
