"""Answer a registry's challenge: Basic, or a Bearer token from the service it names."""

import base64
import re
from collections.abc import Callable, Generator
from dataclasses import dataclass, field

import httpx


@dataclass(frozen=True, slots=True)
class Credentials:
    """A login: user and password (ECR: `AWS` and the authorization token's password)."""

    user: str
    password: str = field(repr=False)

    @property
    def encoded(self) -> str:
        """User and password as Basic authentication and Docker's configuration write them."""
        return base64.b64encode(f"{self.user}:{self.password}".encode()).decode()

    @property
    def header(self) -> str:
        """The value of a Basic Authorization header."""
        return f"Basic {self.encoded}"


Login = Callable[[], Credentials]
"""Gets a login when a registry asks for one, and again when that has run out (ECR: after 12 hours)."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """One WWW-Authenticate header: scheme in lower case, and its parameters."""

    scheme: str
    parameters: dict[str, str]


def parse(header: str) -> Challenge:
    """Read a WWW-Authenticate header such as `Bearer realm="...",service="..."`."""
    scheme, _, rest = header.strip().partition(" ")
    pairs = re.findall(r'([A-Za-z_]+)=(?:"([^"]*)"|([^\s,]+))', rest)
    return Challenge(scheme.lower(), {name.lower(): quoted or bare for name, quoted, bare in pairs})


class RegistryAuth(httpx.Auth):
    """Log in when asked, and remember the answer per repository.

    A registry's scope is a repository, so that a token for one is no use for another. Credentials
    go to the registry itself only after it asked, and to the token service that it names.
    """

    requires_response_body = False

    def __init__(self, credentials: Credentials | Login | None) -> None:
        self._credentials = credentials
        self._login: Credentials | None = None
        self.sent: Credentials | None = None
        self._known: dict[tuple[str, str, str], str] = {}

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send, and where that is refused with a challenge, send again with its answer."""
        key = (request.url.host, _repository(request.url.path), _rights(request.method))
        if known := self._known.get(key):
            request.headers["Authorization"] = known
        response = yield request
        if response.status_code != 401:
            return
        challenge = parse(response.headers.get("WWW-Authenticate", ""))
        login = self._current(request.headers.get("Authorization", ""))
        if challenge.scheme == "basic" and login is not None:
            answer = login.header
        elif challenge.scheme == "bearer" and "realm" in challenge.parameters:
            reply = yield _token_request(challenge, login)
            if reply.status_code != 200:
                return
            reply.read()
            found = reply.json()
            answer = f"Bearer {found.get('token') or found.get('access_token')}"
        else:
            return
        self.sent = login
        self._known[key] = answer
        request.headers["Authorization"] = answer
        yield request

    def _current(self, refused: str) -> Credentials | None:
        """Return the login; it is got once, and anew when the one at hand was refused."""
        if not callable(self._credentials):
            return self._credentials
        if self._login is None or refused == self._login.header:
            self._login = self._credentials()
        return self._login


def _token_request(challenge: Challenge, login: Credentials | None) -> httpx.Request:
    asked = {name: value for name in ("service", "scope") if (value := challenge.parameters.get(name))}
    headers = {"Authorization": login.header} if login else {}
    return httpx.Request("GET", challenge.parameters["realm"], params=asked, headers=headers)


def _repository(path: str) -> str:
    match = re.match(r"/v2/(.+?)/(?:manifests|blobs|tags)/", path)
    return match.group(1) if match else ""


def _rights(method: str) -> str:
    return "pull" if method in ("GET", "HEAD") else "push"
