"""The registry's side of ECR: who may pull and push, and tags that never move.

nginx in front of the registry asks here about every request, and sends every manifest that is put
through here, one at a time, so that two pushes of one tag cannot both find it free.
"""

import base64
import binascii
import contextlib
import hmac
import http.client
import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from moto.ecr.models import Repository, ecr_backends

from . import authorization, resources, wire
from .faults import REGISTRY, Faults
from .ledger import Broken, Ledger, Target
from .principals import Principal, RoleSession
from .state import State

NODE, BOOTSTRAP = "node", "bootstrap"
"""Static logins: the cluster's node pulls anything; bootstrap pushes what is no product image."""

PRODUCT = "eks-"
"""Repositories that begin so exist in ECR or not at all."""

_PATH = re.compile(r"/v2/(?P<name>[a-z0-9][a-z0-9._/-]*)/(?P<kind>manifests|blobs|tags)/(?P<rest>.+)")
_READS = ("GET", "HEAD")
_MANIFESTS = (
    "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.docker.distribution.manifest.v2+json"
)
"""Every kind there is: the registry hides a tag from those who would not take what it is."""


class Refusal(Exception):
    """No, with the status and the error code of the distribution API."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request to the registry: `needs` are alternatives, each a set of actions, on `name`."""

    name: str
    kind: str
    reference: str
    needs: tuple[tuple[str, ...], ...]
    mounted: str | None = None


class RegistryGate:
    """Answers nginx. `distribution` is the registry behind it, as HOST:PORT."""

    def __init__(
        self, state: State, ledger: Ledger, faults: Faults, logins: Mapping[str, str], distribution: str
    ) -> None:
        self._state = state
        self._ledger = ledger
        self._faults = faults
        self._logins = logins
        self._distribution = distribution
        self._putting = threading.Lock()

    def decide(self, request: wire.Request) -> wire.Response:
        """Answer nginx's question whether the original request may go on: 200, 401 or 403."""
        uri = request.headers.get("x-original-uri", "")
        method = request.headers.get("x-original-method", "")
        try:
            self._allow(method, uri, request.headers.get("authorization", ""))
        except Refusal as refusal:
            return _told(refusal)
        return wire.Response(200)

    def put_manifest(self, request: wire.Request, uri: str) -> wire.Response:
        """Hand a manifest on to the registry, unless its tag is there and may not move."""
        try:
            principal = self._allow("PUT", uri, request.headers.get("authorization", ""))
            asked = _read("PUT", uri)
            assert asked is not None
            with self._putting:
                repository = self._repository(principal, asked.name)
                if repository is not None:
                    self._check_tag(repository, asked)
                headers = {"Content-Type": request.headers.get("content-type", "")}
                host = request.headers.get("host", "")
                answer = self._ask("PUT", uri, host, headers, request.body)
                if answer.status == 201 and repository is not None and principal is not None:
                    self._register(principal, repository, asked, request)
            return answer
        except Refusal as refusal:
            return _spoken(refusal)

    def _allow(self, method: str, uri: str, authorization_header: str) -> tuple[Principal, str] | None:
        """Refuse, or return who asks and the region of their token; None for a static login."""
        user, password = _basic(authorization_header)
        static = self._logins.get(user)
        if static is not None and hmac.compare_digest(static.encode(), password.encode()):
            _check_static(user, method, uri)
            return None
        login = self._state.login(password) if user == "AWS" else None
        if login is None:
            raise Refusal(401, "DENIED", "Your authorization token has expired or is not valid. Reauthenticate "
                          "and try again.")  # fmt: skip
        if status := self._faults.strike(REGISTRY):
            raise Refusal(status, "UNKNOWN", f"a test wants status {status}")
        asked = _read(method, uri)
        if asked is not None:
            with self._ledger.held(login.principal.account, login.region):
                self._check(login.principal, login.region, asked)
        return login.principal, login.region

    def _check(self, principal: Principal, region: str, asked: _Asked) -> None:
        for name in (asked.name, asked.mounted):
            if name is not None and name not in ecr_backends[principal.account][region].repositories:
                words = f"The repository with name '{name}' does not exist in the registry with id '{principal.account}'"
                raise Refusal(404, "NAME_UNKNOWN", words)
        if not any(_permitted(principal, region, asked.name, actions) for actions in asked.needs):
            action = asked.needs[0][0]
            target = resources.repository(action, principal.account, region, asked.name)
            why = authorization.denied(principal, action, target.resource).message
            raise Refusal(403, "DENIED", why)
        if asked.mounted is not None and not _permitted(
            principal,
            region,
            asked.mounted,
            ("ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer"),
        ):
            raise Refusal(403, "DENIED", f"{principal.arn} may not take layers from {asked.mounted}")

    def _repository(self, who: tuple[Principal, str] | None, name: str) -> Repository | None:
        if who is None:
            return None
        return ecr_backends[who[0].account][who[1]].repositories.get(name)

    def _check_tag(self, repository: Repository, asked: _Asked) -> None:
        """Refuse a tag that is there, whatever it would come to: ECR refuses the same digest too."""
        if asked.reference.startswith("sha256:") or not _immutable(repository, asked.reference):
            return
        found = self._ask("HEAD", f"/v2/{asked.name}/manifests/{asked.reference}", "", {"Accept": _MANIFESTS})
        if found.status == 200:
            raise Refusal(
                400,
                "TAG_INVALID",
                f"The image tag '{asked.reference}' already exists in the '{asked.name}' repository and cannot "
                "be overwritten because the repository is immutable.",
            )

    def _register(
        self, who: tuple[Principal, str], repository: Repository, asked: _Asked, request: wire.Request
    ) -> None:
        """Tell moto's ECR too, so that DescribeImages and its kin know the image."""
        if asked.reference.startswith("sha256:"):
            return
        content = {
            "repositoryName": repository.name,
            "imageManifest": request.body.decode(errors="replace"),
            "imageManifestMediaType": request.headers.get("content-type", ""),
            "imageTag": asked.reference,
        }
        headers = {
            "content-type": "application/x-amz-json-1.1",
            "x-amz-target": "AmazonEC2ContainerRegistry_V20150921.PutImage",
        }
        call = wire.Request("POST", "/", headers=headers, body=json.dumps(content).encode())
        with contextlib.suppress(Broken):  # the image is published; what moto makes of it comes second
            self._ledger.call(call, Target(who[0].account, who[1], "ecr", "PutImage"))

    def _ask(
        self, method: str, uri: str, host: str, headers: dict[str, str], body: bytes | None = None
    ) -> wire.Response:
        connection = http.client.HTTPConnection(self._distribution, timeout=60)
        try:
            connection.request(method, uri, body, {**headers, **({"Host": host} if host else {})})
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise Refusal(
                503, "UNAVAILABLE", f"the registry does not answer: {type(error).__name__}"
            ) from error
        finally:
            connection.close()
        kept = {"content-type", "docker-content-digest", "location", "docker-distribution-api-version"}
        return wire.Response(
            answer.status, content, tuple((k, v) for k, v in answer.getheaders() if k.lower() in kept)
        )


def _permitted(principal: Principal, region: str, name: str, actions: tuple[str, ...]) -> bool:
    context = {
        "aws:principalaccount": (principal.account,),
        "aws:principalarn": (principal.role_arn if isinstance(principal, RoleSession) else principal.arn,),
        "aws:requestedregion": (region,),
        "aws:securetransport": ("true",),
    }
    return all(
        authorization.allows(
            principal, resources.repository(action, principal.account, region, name), context
        )
        for action in actions
    )


def _immutable(repository: Repository, tag: str) -> bool:
    """Whether a tag may not move; the filters name tags that are the other way round."""
    filters = [str(one["filter"]) for one in repository.image_tag_mutability_exclusion_filters or ()]
    excluded = any(re.fullmatch(re.escape(f).replace(r"\*", ".*"), tag) for f in filters)
    return bool(repository.is_tag_immutable()) != excluded


def _read(method: str, uri: str) -> _Asked | None:
    """Read what a request wants; None for the bare version check. What ECR has not is refused."""
    parts = urlsplit(uri)
    if parts.path in ("/v2", "/v2/") and method in _READS:
        return None
    found = _PATH.fullmatch(parts.path)
    if found is None or ".." in parts.path or "%" in parts.path:
        raise Refusal(404, "UNSUPPORTED", "ECR has nothing at this path")
    name, kind, rest = found["name"], found["kind"], found["rest"]
    mounted = parse_qs(parts.query).get("from", [None])[0] if method == "POST" else None
    needs = _needs(method, kind, rest)
    if needs is None:
        raise Refusal(405, "UNSUPPORTED", f"ECR does not take {method} here")
    return _Asked(name, kind, rest, needs, mounted)


def _needs(method: str, kind: str, rest: str) -> tuple[tuple[str, ...], ...] | None:
    """The actions that AWS asks for; a layer's HEAD is part of pushing and of pulling."""
    reading = method in _READS
    if kind == "manifests":
        return (("ecr:BatchGetImage",),) if reading else (("ecr:PutImage",),) if method == "PUT" else None
    if kind == "tags":
        return (("ecr:ListImages",),) if reading else None
    if not rest.startswith("uploads/"):
        layer = (("ecr:GetDownloadUrlForLayer",),)
        return {"GET": layer, "HEAD": (("ecr:BatchCheckLayerAvailability",), *layer)}.get(method)
    return {
        "POST": (("ecr:InitiateLayerUpload",),),
        "GET": (("ecr:UploadLayerPart",),),
        "PATCH": (("ecr:UploadLayerPart",),),
        "PUT": (("ecr:CompleteLayerUpload", "ecr:UploadLayerPart"),),
        "DELETE": (("ecr:InitiateLayerUpload",),),
    }.get(method)


def _check_static(user: str, method: str, uri: str) -> None:
    """The node reads; bootstrap also writes, but nothing that belongs to the product."""
    if method in _READS:
        return
    found = _PATH.fullmatch(urlsplit(uri).path)
    if user != BOOTSTRAP or found is None or found["name"].startswith(PRODUCT):
        raise Refusal(403, "DENIED", f"the login '{user}' may not do this")


def _basic(header: str) -> tuple[str, str]:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        raise Refusal(401, "UNAUTHORIZED", "Not Authorized")
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise Refusal(401, "UNAUTHORIZED", "Not Authorized") from None
    return user, password


def _error(refusal: Refusal) -> str:
    content: dict[str, Any] = {"errors": [{"code": refusal.code, "message": refusal.message}]}
    return json.dumps(content)


def _told(refusal: Refusal) -> wire.Response:
    """Tell nginx: it knows only 401 and 403, so what the client is to get goes in headers."""
    headers = (("X-Refusal-Status", str(refusal.status)), ("X-Refusal-Body", _error(refusal)))
    return wire.Response(401 if refusal.status == 401 else 403, headers=headers)


def _spoken(refusal: Refusal) -> wire.Response:
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)
    return wire.Response(refusal.status, _error(refusal).encode(), headers)
