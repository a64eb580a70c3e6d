"""Media types, digests and manifests: the data of the OCI image specification."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
ACCEPTED = (
    MANIFEST,
    INDEX,
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
"""The manifests this client reads; registries choose by the Accept header."""


def digest(content: bytes) -> str:
    """Return `sha256:...` of `content`."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A pointer to content: its type, digest and size in bytes."""

    media_type: str
    digest: str
    size: int

    def data(self) -> dict[str, Any]:
        """Return the descriptor as it stands in a manifest."""
        return {"mediaType": self.media_type, "digest": self.digest, "size": self.size}


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest as a registry keeps it: the exact bytes, their type and digest."""

    body: bytes
    media_type: str

    @property
    def digest(self) -> str:
        """The manifest's digest, computed from its bytes."""
        return digest(self.body)

    @property
    def data(self) -> dict[str, Any]:
        """The manifest's JSON."""
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed

    @property
    def annotations(self) -> dict[str, str]:
        """The manifest's annotations; none is an empty dict."""
        found: dict[str, str] = self.data.get("annotations") or {}
        return found

    @property
    def config_digest(self) -> str:
        """Digest of the image's configuration; an index has none and gives ''."""
        return str(self.data.get("config", {}).get("digest", ""))


def image_manifest(
    config: Descriptor, layers: Sequence[Descriptor], annotations: Mapping[str, str]
) -> Manifest:
    """Compose an OCI image manifest; the same input gives the same bytes."""
    data = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": config.data(),
        "layers": [layer.data() for layer in layers],
        "annotations": dict(sorted(annotations.items())),
    }
    return Manifest(json.dumps(data, separators=(",", ":")).encode(), MANIFEST)
