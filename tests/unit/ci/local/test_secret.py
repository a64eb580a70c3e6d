import dataclasses
import re
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ci.local import secret
from ci.settings import Settings, wiring


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings("unit", 20000, wiring("local"), tmp_path)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_secret_is_random_kept_and_private(settings: Settings) -> None:
    made = secret.value(settings, "one")
    assert re.fullmatch(r"[\w-]{43}", made)
    assert secret.value(settings, "one") == made != secret.value(settings, "two")
    assert secret.value(dataclasses.replace(settings, name="other"), "one") != made
    folder = settings.state / "secrets"
    assert (mode(folder), mode(folder / "one")) == (0o700, 0o600)
    assert sorted(path.name for path in folder.iterdir()) == ["one", "two"]


def test_callers_at_once_get_the_same_value(settings: Settings) -> None:
    with ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(lambda _: secret.value(settings, "one"), range(64)))) == 1


@pytest.mark.parametrize("name", ["", "../ca", "A", "a/b", ".new-x"])
def test_a_name_cannot_leave_the_folder(settings: Settings, name: str) -> None:
    with pytest.raises(ValueError, match="not a secret's name"):
        secret.value(settings, name)


def test_write_replaces_in_one_step(tmp_path: Path) -> None:
    target = tmp_path / "file"
    secret.write(target, "old", mode=0o444)
    with target.open() as reader:
        secret.write(target, b"new", mode=0o444)
        assert reader.read() == "old"
    assert (target.read_text(), mode(target)) == ("new", 0o444)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
