"""What the verbs `infra.*` say to bad input, where there is neither AWS nor its stand-in."""

from pathlib import Path

import pytest

from tests.invocation import invoke

VERBS = ("infra.plan", "infra.apply", "infra.outputs", "infra.drift", "infra.destroy")


@pytest.fixture
def nowhere(tmp_path: Path) -> dict[str, str]:
    """No environment, no credentials, and no way to the service that would give some to an EC2 instance."""
    return {
        "SLIPWAY_NAME": "slipway-nowhere", "SLIPWAY_CACHE": str(tmp_path / "cache"),
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_CONFIG_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true", "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "",
    }  # fmt: skip


@pytest.mark.parametrize("verb", VERBS)
def test_help_needs_nothing(nowhere: dict[str, str], verb: str) -> None:
    ended = invoke(verb, "--help", env=nowhere)
    assert (ended.code, ended.err) == (0, "")
    assert "--env=STRING" in ended.out


@pytest.mark.parametrize("verb", VERBS)
def test_the_environment_must_be_given(nowhere: dict[str, str], verb: str) -> None:
    invoke(verb, env=nowhere).refused(f"'{verb}' needs --env", f"invoke {verb} --help")


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("name", ["prod", "../local"])
def test_the_environment_must_be_known(nowhere: dict[str, str], verb: str, name: str) -> None:
    invoke(verb, "--env", name, env=nowhere).refused(
        f"environment '{name}' is unknown", "local or production"
    )


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("where", [("local",), ("production", "--stand-in")], ids=" ".join)
def test_without_stand_in_nothing_is_called_or_made(
    nowhere: dict[str, str], tmp_path: Path, verb: str, where: tuple[str, ...]
) -> None:
    invoke(verb, "--env", *where, env=nowhere).refused("no environment 'slipway-nowhere'", "invoke bootstrap")
    assert list(tmp_path.rglob("*")) == []


@pytest.mark.parametrize("verb", VERBS)
def test_without_credentials(nowhere: dict[str, str], verb: str) -> None:
    invoke(verb, "--env", "production", env=nowhere).refused(
        "there are no credentials for AWS", "AWS_PROFILE"
    )


def test_a_profile_that_is_not_there(nowhere: dict[str, str]) -> None:
    ended = invoke("infra.plan", "--env", "production", env=nowhere | {"AWS_PROFILE": "nobody"})
    ended.refused("nobody", "AWS_PROFILE")
