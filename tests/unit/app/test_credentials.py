from pathlib import Path

import pytest

from ledger import credentials
from migration import database

FILES = {"host": "db", "port": "5432", "username": "u", "password": "p w\n", "dbname": "d"}
KEYWORDS = {"host": "db", "port": "5432", "user": "u", "password": "p w", "dbname": "d"}


def _write(folder: Path) -> None:
    for name, value in FILES.items():
        (folder / name).write_text(value)


def test_app_reads_the_files_as_they_are_now(tmp_path: Path) -> None:
    _write(tmp_path)
    assert credentials.read(tmp_path) == KEYWORDS
    (tmp_path / "password").write_text("new")
    assert credentials.read(tmp_path)["password"] == "new"


@pytest.mark.parametrize("name", sorted(FILES))
def test_app_names_the_missing_file(tmp_path: Path, name: str) -> None:
    _write(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(credentials.CredentialsMissing, match=f"^credential '{name}' is missing in "):
        credentials.read(tmp_path)


def test_migration_reads_the_same_files(tmp_path: Path) -> None:
    _write(tmp_path)
    assert database.credentials(tmp_path) == (KEYWORDS, [])
    assert database.KEYS == credentials.KEYS


def test_migration_names_all_that_is_missing(tmp_path: Path) -> None:
    _write(tmp_path)
    (tmp_path / "host").unlink()
    (tmp_path / "dbname").write_text("")
    assert database.credentials(tmp_path)[1] == ["host", "dbname"]
