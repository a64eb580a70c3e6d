from pathlib import Path

import pytest

import ledger.settings
import migration.settings

BAKED = {"VERSION": "v1.2.3", "REVISION": "abc", "SCHEMA_HEAD": "0001"}


def test_app_defaults() -> None:
    found = ledger.settings.load(BAKED)
    assert (found.port, found.pool_size, found.drain_seconds) == (8080, 10, 8)
    assert found.database_dir == Path("/run/secrets/database")


@pytest.mark.parametrize("name", sorted(BAKED))
def test_app_needs_what_is_baked_in(name: str) -> None:
    with pytest.raises(ledger.settings.Unusable, match=f"^{name} is not set$"):
        ledger.settings.load({**BAKED, name: ""})


@pytest.mark.parametrize("value", ["", "x", "-1", "65536", "nan"])
def test_app_refuses_odd_numbers(value: str) -> None:
    with pytest.raises(ledger.settings.Unusable, match=r"^PORT is '"):
        ledger.settings.load({**BAKED, "PORT": value})


def test_migration_ends_before_the_job_s_deadline() -> None:
    found = migration.settings.load({"VERSION": "v1.2.3"})
    # cancel, roll back and report take up to 8 s more; the Job's activeDeadlineSeconds is 120
    assert found.deadline + 8 < 120
    assert max(found.database_wait, found.turn_wait, found.statement_timeout) < found.deadline


@pytest.mark.parametrize("value", ["", "0", "-1", "soon", "nan", "inf"])
def test_migration_refuses_odd_numbers(value: str) -> None:
    with pytest.raises(migration.settings.Unusable, match=r"^MIGRATION_DEADLINE is '"):
        migration.settings.load({"VERSION": "v1.2.3", "MIGRATION_DEADLINE": value})
