import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from ci.settings import ROOT
from ci.supply import catalogue, images


def test_an_images_key_counts_the_sources_it_takes_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws = catalogue.load().get("aws")
    assert aws.sources == ("policies/iam",)
    shutil.copytree(ROOT / "policies/iam", tmp_path / "policies/iam")
    monkeypatch.setattr(images, "ROOT", tmp_path)
    before = images.key(aws)
    assert images.key(aws) == before
    changed = tmp_path / "policies/iam/evaluation.py"
    changed.write_text(changed.read_text() + "\n")
    assert images.key(aws) != before


def test_an_images_key_counts_the_python_its_wheels_are_for() -> None:
    aws = catalogue.load().get("aws")
    assert images.key(replace(aws, wheels="3.12")) != images.key(aws)


def test_no_wheel_goes_without_a_hash() -> None:
    lock = (catalogue.HERE / "images/aws/requirements.lock").read_text()
    pinned = [line for line in lock.splitlines() if "==" in line and not line.lstrip().startswith("#")]
    assert len(pinned) > 20
    for entry in lock.split("\n")[2:]:
        if "==" in entry and not entry.lstrip().startswith("#"):
            assert entry.endswith(" \\"), entry  # hashes follow


def test_the_images_packages_are_those_of_the_repositorys_lock() -> None:
    """The tests run against what the image holds."""

    def versions(path: Path) -> dict[str, str]:
        lines = [line.split(" ")[0] for line in path.read_text().splitlines() if line[:1].isalpha()]
        return dict(line.split("==") for line in lines if "==" in line)

    ours = versions(ROOT / "requirements.lock")
    theirs = versions(catalogue.HERE / "images/aws/requirements.lock")
    assert {name: ours.get(name) for name in theirs} == theirs
