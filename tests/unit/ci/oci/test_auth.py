import httpx
import pytest

from ci.oci.auth import Challenge, Credentials, RegistryAuth, parse


@pytest.mark.parametrize(
    ("header", "challenge"),
    [
        (
            'Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push"',
            Challenge(
                "bearer",
                {
                    "realm": "https://auth.example/token",
                    "service": "registry.example",
                    "scope": "repository:a/b:pull,push",
                },
            ),
        ),
        ('Basic realm="https://x.dkr.ecr.example/",service="ecr.example"',
         Challenge("basic", {"realm": "https://x.dkr.ecr.example/", "service": "ecr.example"})),
        ("Basic realm=plain", Challenge("basic", {"realm": "plain"})),
        ('bearer realm="a", error="insufficient_scope"',
         Challenge("bearer", {"realm": "a", "error": "insufficient_scope"})),
        ("", Challenge("", {})),
    ],
)  # fmt: skip
def test_challenges(header: str, challenge: Challenge) -> None:
    assert parse(header) == challenge


def test_a_password_is_not_shown() -> None:
    credentials = Credentials("AWS", "word")
    assert "word" not in repr(credentials)
    assert credentials.header == "Basic QVdTOndvcmQ="


class Server:
    """A registry that asks for Basic, and takes only the login that is good right now."""

    def __init__(self) -> None:
        self.good = Credentials("AWS", "first")
        self.got: list[str] = []

    def login(self) -> Credentials:
        self.got.append(self.good.password)
        return self.good

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.headers.get("Authorization") == self.good.header:
            return httpx.Response(200)
        return httpx.Response(401, headers={"WWW-Authenticate": 'Basic realm="x"'})


def test_a_login_is_got_when_asked_for_and_once() -> None:
    server = Server()
    transport = httpx.MockTransport(server)
    with httpx.Client(base_url="http://r", auth=RegistryAuth(server.login), transport=transport) as client:
        assert server.got == []
        for method, path in (("GET", "/v2/"), ("PUT", "/v2/a/manifests/x"), ("GET", "/v2/b/tags/list")):
            assert client.request(method, path).status_code == 200
        assert server.got == ["first"]
        server.good = Credentials("AWS", "second")  # the first has run out
        assert client.get("/v2/b/tags/list").status_code == 200
        assert client.put("/v2/a/manifests/x").status_code == 200
        assert server.got == ["first", "second"]


def test_a_login_that_is_refused_is_not_tried_for_ever() -> None:
    server = Server()
    transport = httpx.MockTransport(server)
    wrong = RegistryAuth(lambda: Credentials("AWS", "wrong"))
    with httpx.Client(base_url="http://r", auth=wrong, transport=transport) as client:
        assert client.get("/v2/").status_code == 401


def test_an_open_registry_is_told_no_login() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200)

    def never() -> Credentials:
        raise AssertionError("nobody asked")

    with httpx.Client(auth=RegistryAuth(never), transport=httpx.MockTransport(answer)) as client:
        client.get("http://r/v2/")
    assert "Authorization" not in seen[0].headers
