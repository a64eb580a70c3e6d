import pytest

from ci.oci.auth import Challenge, Credentials, parse


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
