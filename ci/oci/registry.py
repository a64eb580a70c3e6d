"""Speak to a registry: the OCI distribution API, with retries, and digests checked both ways."""

import contextlib
import ipaddress
import json
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar
from urllib.parse import urljoin, urlsplit

import httpx

from ci.oci import media
from ci.oci.auth import Credentials, Login, RegistryAuth
from ci.oci.media import Descriptor, Manifest

_T = TypeVar("_T")
_CHUNK = 1 << 20
_PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0)
"""Seconds between attempts: five retries in about eight seconds outlast a registry's restart."""


class RegistryError(Exception):
    """A registry refused, or did not answer after every retry; `status` is 0 for no answer."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class _PassingError(Exception):
    """A failure that may be gone at the next attempt; `after` is the pause the registry asks for."""

    def __init__(self, message: str, status: int = 0, after: float = 0.0) -> None:
        super().__init__(message)
        self.status = status
        self.after = after


@dataclass(frozen=True, slots=True)
class _Body:
    """A request body that can be sent again after a challenge or a broken connection."""

    source: Path | bytes

    def __iter__(self) -> Iterator[bytes]:
        if isinstance(self.source, bytes):
            yield self.source
            return
        with self.source.open("rb") as stream:
            while piece := stream.read(_CHUNK):
                yield piece


class Registry:
    """A registry at `base_url` (`http://127.0.0.1:8081`, `https://ACCOUNT.dkr.ecr...`).

    Names are repositories without host. Nothing is cached; every answer is the registry's own.
    Safe to use from several threads. Close it, or use it in a `with` statement.
    """

    def __init__(
        self, base_url: str, credentials: Credentials | Login | None = None, *, timeout: float = 30.0
    ) -> None:
        self.host = urlsplit(base_url).netloc
        self._auth = RegistryAuth(credentials)
        self._client = httpx.Client(
            base_url=base_url.rstrip("/"),
            auth=self._auth,
            timeout=httpx.Timeout(timeout, connect=5.0),
            follow_redirects=True,
            trust_env=not _loopback(base_url),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    @property
    def login(self) -> Credentials | None:
        """The login that was sent, None as long as the registry asked for none."""
        return self._auth.sent

    def answers(self) -> bool:
        """Say whether a registry is there, at once and without retries."""
        try:
            return self._client.get("/v2/", timeout=3.0).status_code in (200, 401)
        except httpx.TransportError:
            return False

    def tags(self, name: str) -> list[str]:
        """List the tags of `name`; a repository that does not exist has none."""
        found: list[str] = []
        url = f"/v2/{name}/tags/list?n=1000"
        while url:
            response = self._get(url, missing=True)
            if response.status_code == 404:
                break
            found += response.json().get("tags") or []
            url = _next(response)
        return found

    def manifest(self, name: str, reference: str) -> Manifest | None:
        """Return the manifest of `reference` (a tag or a digest), or None where there is none."""
        accept = {"Accept": ", ".join(media.ACCEPTED)}
        response = self._get(f"/v2/{name}/manifests/{reference}", missing=True, headers=accept)
        if response.status_code == 404:
            return None
        manifest = Manifest(response.content, response.headers.get("Content-Type", media.MANIFEST))
        if reference.startswith("sha256:") and manifest.digest != reference:
            raise RegistryError(f"{self.host} answered {manifest.digest} for {name}@{reference}")
        return manifest

    def digest(self, name: str, reference: str) -> str | None:
        """Return the digest that `reference` stands for, or None where there is none."""
        accept = {"Accept": ", ".join(media.ACCEPTED)}
        url = f"/v2/{name}/manifests/{reference}"
        response = self._retry(lambda: self._send("HEAD", url, headers=accept, allowed=(404,)))
        if response.status_code == 404:
            return None
        if found := response.headers.get("Docker-Content-Digest"):
            return str(found)
        manifest = self.manifest(name, reference)
        return manifest.digest if manifest else None

    def put_manifest(self, name: str, reference: str, manifest: Manifest) -> str:
        """Store `manifest` under `reference`: one request, all or nothing. Return its digest.

        A retry may find the work of an attempt whose answer was lost; in a registry of immutable
        tags that is a refusal, and no error if the tag has this digest.
        """
        url = f"/v2/{name}/manifests/{reference}"
        headers = {"Content-Type": manifest.media_type, "Content-Length": str(len(manifest.body))}
        try:
            self._retry(lambda: self._send("PUT", url, body=_Body(manifest.body), headers=headers))
        except RegistryError as refusal:
            if refusal.status not in (400, 409) or self.digest(name, reference) != manifest.digest:
                raise
        return manifest.digest

    def has_blob(self, name: str, digest: str) -> bool:
        """Say whether the repository has the blob."""
        url = f"/v2/{name}/blobs/{digest}"
        return self._retry(lambda: self._send("HEAD", url, allowed=(404,))).status_code == 200

    def blob(self, name: str, digest: str) -> bytes:
        """Return a small blob, such as an image's configuration, whole and verified."""
        content = self._get(f"/v2/{name}/blobs/{digest}").content
        if media.digest(content) != digest:
            raise RegistryError(f"{self.host} sent other content for {name}@{digest}")
        return content

    def config(self, name: str, manifest: Manifest) -> bytes:
        """Return the configuration of the image that `manifest` describes."""
        return self.blob(name, manifest.config_digest)

    def upload(
        self, name: str, descriptor: Descriptor, source: Path | bytes, mount: str | None = None
    ) -> bool:
        """Give the repository a blob; return False where it had it, or took it over from `mount`.

        The registry computes the digest of what arrives and refuses another one.
        """
        if self.has_blob(name, descriptor.digest):
            return False
        return self._retry(lambda: self._upload(name, descriptor, source, mount))

    def _upload(self, name: str, descriptor: Descriptor, source: Path | bytes, mount: str | None) -> bool:
        query = {"mount": descriptor.digest, "from": mount} if mount else {}
        session = self._send("POST", f"/v2/{name}/blobs/uploads/", params=query)
        if session.status_code == 201:
            return False
        # A location may be relative, and may already have a query that must be kept.
        location = httpx.URL(urljoin(str(session.request.url), session.headers["Location"]))
        target = str(location.copy_merge_params({"digest": descriptor.digest}))
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(descriptor.size),
        }
        self._send("PUT", target, body=_Body(source), headers=headers)
        return True

    def _get(self, url: str, missing: bool = False, headers: dict[str, str] | None = None) -> httpx.Response:
        return self._retry(lambda: self._send("GET", url, headers=headers, allowed=(404,) if missing else ()))

    def _send(
        self,
        method: str,
        url: str,
        *,
        body: _Body | None = None,
        headers: dict[str, str] | None = None,
        params: dict[str, str] | None = None,
        allowed: tuple[int, ...] = (),
    ) -> httpx.Response:
        try:
            response = self._client.request(method, url, content=body, headers=headers, params=params or None)
        except httpx.TransportError as error:
            raise _PassingError(f"{self.host}: {str(error) or type(error).__name__}") from error
        status = response.status_code
        if response.is_success or status in allowed:
            return response
        message = f"{self.host} answered {status} to {method} {urlsplit(url).path}: {_reason(response)}"
        if status == 429 or status >= 500:
            raise _PassingError(message, status, _after(response))
        raise RegistryError(message, status)

    def _retry(self, action: Callable[[], _T]) -> _T:
        for pause in _PAUSES:
            try:
                return action()
            except _PassingError as failure:
                wait = failure.after or pause * random.uniform(0.8, 1.2)  # noqa: S311 - spreads load
                time.sleep(min(wait, 30.0))
        try:
            return action()
        except _PassingError as failure:
            raise RegistryError(str(failure), failure.status) from failure


def _loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def _next(response: httpx.Response) -> str:
    link = response.links.get("next", {}).get("url", "")
    return urljoin(str(response.request.url), link) if link else ""


def _after(response: httpx.Response) -> float:
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isdecimal() else 0.0


def _reason(response: httpx.Response) -> str:
    with contextlib.suppress(json.JSONDecodeError, KeyError, IndexError, TypeError):
        error = response.json()["errors"][0]
        return f"{error.get('code', '')} {error.get('message', '')}".strip()
    return response.text[:200].strip() or response.reason_phrase
