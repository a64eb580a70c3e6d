"""Bring the layers and configuration of a saved image to a registry, ready for its manifest."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ci.oci.archive import Image
from ci.oci.blobs import Blobs
from ci.oci.media import Descriptor, Manifest, image_manifest
from ci.oci.registry import Registry, RegistryError


@dataclass(frozen=True, slots=True)
class Upload:
    """An image whose blobs the registry has; only `manifest` is missing. `sent` counts bytes."""

    manifest: Manifest
    sent: int


def upload(
    registry: Registry,
    blobs: Blobs,
    name: str,
    image: Image,
    annotations: Mapping[str, str],
    mount: str | None = None,
) -> Upload:
    """Compress and upload what the repository `name` lacks, and compose the image's manifest.

    `mount` is a repository whose blobs the registry may take over instead. Nothing is visible
    under a tag until the manifest is put.
    """
    with ThreadPoolExecutor(max_workers=4) as pool:
        layers = list(pool.map(lambda layer: blobs.layer(layer.diff_id, layer.open), image.layers))
        unique = {layer.digest: layer for layer in layers}.values()
        sent = pool.map(lambda layer: _send(registry, blobs, name, layer, mount), unique)
        config = image.descriptor
        total = sum(sent) + (config.size if registry.upload(name, config, image.config) else 0)
    return Upload(image_manifest(config, layers, annotations), total)


def _send(registry: Registry, blobs: Blobs, name: str, layer: Descriptor, mount: str | None) -> int:
    try:
        return layer.size if registry.upload(name, layer, blobs.path(layer), mount) else 0
    except RegistryError as refusal:
        if refusal.status == 400:
            blobs.forget(layer)
        raise
