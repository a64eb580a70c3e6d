"""Tiny images, pushed by plain HTTP as any client of a registry would."""

import hashlib
import json
import uuid

import httpx

from ci.ecr import credentials
from ci.local import aws
from ci.settings import Settings

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"


def login(settings: Settings, repository: str = "eks-app") -> str:
    """The header of whoever may push to a repository: for the product's, an operator's token from ECR."""
    if repository.startswith("eks-"):
        return credentials(aws.client(settings, "ecr")).header
    return aws.registry_login(settings, "bootstrap").header


def client(settings: Settings, authorization: str | None) -> httpx.Client:
    """A client of the registry's front."""
    headers = {} if authorization is None else {"Authorization": authorization}
    return httpx.Client(
        base_url=f"http://{settings.push_registry}", headers=headers, trust_env=False, timeout=60
    )


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def put_blob(opened: httpx.Client, repository: str, content: bytes) -> httpx.Response:
    """Upload a blob in one piece; return the last answer."""
    begun = opened.post(f"/v2/{repository}/blobs/uploads/")
    if begun.status_code != 202:
        return begun
    place = begun.headers["Location"]
    return opened.put(f"{place}&digest={digest(content)}", content=content)


def manifest(opened: httpx.Client, repository: str, layer: bytes | None = None) -> bytes:
    """Upload the parts of an image of its own; return its manifest."""
    parts = (b"{}", uuid.uuid4().bytes if layer is None else layer)
    for part in parts:
        put_blob(opened, repository, part).raise_for_status()
    described = [
        {"mediaType": kind, "digest": digest(part), "size": len(part)}
        for kind, part in zip((CONFIG, LAYER), parts, strict=True)
    ]
    content = {"schemaVersion": 2, "mediaType": MANIFEST, "config": described[0], "layers": described[1:]}
    return json.dumps(content).encode()


def put_manifest(opened: httpx.Client, repository: str, reference: str, content: bytes) -> httpx.Response:
    return opened.put(
        f"/v2/{repository}/manifests/{reference}", content=content, headers={"Content-Type": MANIFEST}
    )


def push(settings: Settings, repository: str, *references: str) -> str:
    """Push a tiny image under tags or by digest ("digest"); return its digest."""
    with client(settings, login(settings, repository)) as opened:
        content = manifest(opened, repository)
        for reference in references:
            where = digest(content) if reference == "digest" else reference
            put_manifest(opened, repository, where, content).raise_for_status()
        accept = {"Accept": MANIFEST}
        opened.get(f"/v2/{repository}/manifests/{digest(content)}", headers=accept).raise_for_status()
    return digest(content)
