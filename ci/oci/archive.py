"""Read a `docker save` archive, old layout and new: both describe their images in manifest.json."""

import json
import posixpath
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from ci.oci.media import CONFIG, Descriptor, digest
from ci.oci.window import Window


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer: the digest of its plain tar, and where in the archive its bytes are."""

    diff_id: str
    archive: Path
    offset: int
    size: int

    def open(self) -> Window:
        """Open the layer's bytes for reading; every call has a position of its own."""
        return Window(self.archive, self.offset, self.size)


@dataclass(frozen=True, slots=True)
class Image:
    """One saved image: its reference in the engine, configuration bytes and layers, lowest first."""

    reference: str
    config: bytes
    layers: tuple[Layer, ...]

    @property
    def descriptor(self) -> Descriptor:
        """The descriptor of the configuration."""
        return Descriptor(CONFIG, digest(self.config), len(self.config))

    @property
    def labels(self) -> dict[str, str]:
        """The image's labels."""
        return labels(self.config)


def labels(config: bytes) -> dict[str, str]:
    """Return the labels in an image configuration; none is an empty dict."""
    found: dict[str, str] = json.loads(config).get("config", {}).get("Labels") or {}
    return found


class Archive:
    """An open `docker save` archive of one or more images. Use it in a `with` statement."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._tar = tarfile.open(path, "r:")  # noqa: SIM115 - closed by __exit__
        self._members = {_clean(member.name): member for member in self._tar.getmembers()}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._tar.close()

    def images(self) -> tuple[Image, ...]:
        """Return the images in the order of the archive. Raises ValueError on a damaged one."""
        listed: list[dict[str, Any]] = json.loads(self._read("manifest.json"))
        return tuple(self._image(entry) for entry in listed)

    def image(self, reference: str) -> Image:
        """Return the image that was saved under `reference` (`name:tag`)."""
        for entry in json.loads(self._read("manifest.json")):
            if reference in (entry.get("RepoTags") or ()):
                return self._image(entry, reference)
        raise ValueError(f"{self._path} has no image {reference}")

    def _image(self, entry: dict[str, Any], reference: str = "") -> Image:
        config = self._read(entry["Config"])
        diff_ids = json.loads(config)["rootfs"]["diff_ids"]
        if len(diff_ids) != len(entry["Layers"]):
            raise ValueError(f"{self._path} names {len(entry['Layers'])} layers, its config {len(diff_ids)}")
        members = (self._member(name) for name in entry["Layers"])
        layers = (
            Layer(diff_id, self._path, member.offset_data, member.size)
            for diff_id, member in zip(diff_ids, members, strict=True)
        )
        return Image(reference or (entry.get("RepoTags") or [""])[0], config, tuple(layers))

    def _read(self, name: str) -> bytes:
        stream = self._tar.extractfile(self._member(name))
        return stream.read() if stream else b""

    def _member(self, name: str) -> tarfile.TarInfo:
        # The old layout saves a layer that two images share once, and links to it for the second.
        for _ in range(8):
            member = self._members.get(_clean(name))
            if member is None:
                break
            if member.issym():
                name = _clean(posixpath.join(posixpath.dirname(member.name), member.linkname))
            elif member.islnk():
                name = member.linkname
            else:
                return member
        raise ValueError(f"{self._path} lacks {name}")


def _clean(name: str) -> str:
    return posixpath.normpath(name)
