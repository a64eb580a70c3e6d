"""OCI images without an engine's push: read what `docker save` wrote, and speak the distribution API."""

from ci.oci.archive import Archive, Image
from ci.oci.auth import Credentials, Login
from ci.oci.blobs import Blobs
from ci.oci.media import Descriptor, Manifest
from ci.oci.push import Upload, upload
from ci.oci.registry import Registry, RegistryError

__all__ = [
    "Archive",
    "Blobs",
    "Credentials",
    "Descriptor",
    "Image",
    "Login",
    "Manifest",
    "Registry",
    "RegistryError",
    "Upload",
    "upload",
]
