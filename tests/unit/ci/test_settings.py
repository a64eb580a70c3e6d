"""The wiring file, read."""

import dataclasses
from pathlib import Path

import pytest

from ci import settings
from ci.problem import Problem


def test_every_field_of_both_wiring_files_is_read() -> None:
    local, production = settings.wiring("local"), settings.wiring("production")
    assert all(dataclasses.astuple(local))
    assert local.host == "ledger.slipway.localhost"
    assert production.account == "210987654321"
    assert production.role_arn(production.role_secrets) == (
        "arn:aws:iam::210987654321:role/create-secret-from-secrets-manager-role"
    )


def test_environments_share_no_account_host_or_cluster() -> None:
    local, production = settings.wiring("local"), settings.wiring("production")
    for field in ("account", "registry", "domain", "host", "cluster_name", "vpc_name"):
        assert getattr(local, field) != getattr(production, field)


def test_a_key_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "gitops" / "wiring" / "local"
    folder.mkdir(parents=True)
    text = (settings.ROOT / "gitops/wiring/local/wiring.yaml").read_text()
    (folder / "wiring.yaml").write_text(text.replace("vpcName", "vpc"))
    monkeypatch.setattr(settings, "ROOT", tmp_path)
    with pytest.raises(Problem, match="does not name 'vpcName'"):
        settings.wiring("local")
