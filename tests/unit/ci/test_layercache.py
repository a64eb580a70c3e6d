"""The configuration of Docker's that a release builds with: a login more, and nothing lost."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from ci import layercache
from ci.oci import Credentials
from ci.problem import Problem

HOST = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
LOGIN = Credentials("AWS", "word:of a day")


def configured(folder: Path, config: dict[str, object] | None, login: Credentials | None = LOGIN) -> Path:
    """Configure from a folder with a context and `config`; return the new folder."""
    present, made = folder / "present", folder / "made"
    (present / "contexts").mkdir(parents=True)
    (present / "contexts" / "one").write_text("kept")
    if config is not None:
        (present / "config.json").write_text(json.dumps(config))
    made.mkdir()
    layercache.configure(made, present, HOST, login)
    if config is not None:
        assert json.loads((present / "config.json").read_text()) == config
    return made


def told(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "config.json").read_text())
    return found


def test_has_the_login_for_this_registry_alone_and_for_the_owner_alone(tmp_path: Path) -> None:
    made = configured(tmp_path, None)
    (host,) = told(made)["auths"]
    assert host == HOST
    assert base64.b64decode(told(made)["auths"][host]["auth"]) == b"AWS:word:of a day"
    assert (made / "config.json").stat().st_mode & 0o777 == 0o600


def test_keeps_other_logins_settings_and_contexts(tmp_path: Path) -> None:
    made = configured(tmp_path, {"auths": {"other": {"auth": "x"}}, "currentContext": "one"})
    assert told(made)["auths"]["other"] == {"auth": "x"}
    assert told(made)["currentContext"] == "one"
    assert (made / "contexts" / "one").read_text() == "kept"


def test_a_store_of_credentials_is_not_asked_instead(tmp_path: Path) -> None:
    assert "credsStore" not in told(configured(tmp_path, {"credsStore": "desktop"}))


def test_a_registry_without_login_changes_nothing(tmp_path: Path) -> None:
    given: dict[str, object] = {"credsStore": "desktop"}
    assert told(configured(tmp_path, given, login=None)) == given


def test_there_need_be_no_configuration(tmp_path: Path) -> None:
    made = tmp_path / "made"
    made.mkdir()
    layercache.configure(made, tmp_path / "absent", HOST, LOGIN)
    assert set(told(made)["auths"]) == {HOST}


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff"])
def test_a_damaged_configuration_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "config.json").write_bytes(content)
    made = tmp_path / "made"
    made.mkdir()
    with pytest.raises(Problem, match=r"config\.json cannot be read"):
        layercache.configure(made, tmp_path, HOST, LOGIN)
    assert not (made / "config.json").exists()
