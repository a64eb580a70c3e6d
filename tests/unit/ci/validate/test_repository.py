"""The repository itself: nothing is found, and one broken line is."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ci.settings import ROOT

FAST = ("render", "kubeconform", "policies", "hadolint", "actionlint", "zizmor")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ci.validate", *arguments],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("tree") / "copy"
    ignored = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache", "artifacts")
    return Path(shutil.copytree(ROOT, target, ignore=ignored))


@pytest.mark.timeout(120)
def test_nothing_is_found_here() -> None:
    done = run()
    assert (done.stdout, done.returncode) == ("", 0)
    assert "validate: nothing found" in done.stderr


@pytest.mark.timeout(120)
def test_a_wrong_port_is_found_by_policy_in_every_format(copy: Path) -> None:
    service = copy / "gitops/main/base/service.yaml"
    text = service.read_text()
    service.write_text(text.replace("targetPort: web", "targetPort: wbe"))
    try:
        done = run("--root", str(copy), "--format", "json", *FAST)
        assert done.returncode == 1
        found = [(each["file"], each["line"], each["id"]) for each in json.loads(done.stdout)]
        assert found == [("gitops/main/base/service.yaml", 12, "EDGE03")]
        assert run("--root", str(copy), "--format", "github", *FAST).stdout.startswith(
            "::error file=gitops/main/base/service.yaml,line=12,col=5,title=EDGE03::"
        )
    finally:
        service.write_text(text)


def test_unknown_part_is_refused() -> None:
    done = run("kubekonform")
    assert done.returncode == 2
    assert "no such part: kubekonform" in done.stderr
