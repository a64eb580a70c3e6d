"""Lists of plugins that are shortened in a copy of upstream's source, and mirrors that leave something out."""

import subprocess
from pathlib import Path

import pytest

from ci import settings
from ci.problem import Problem
from ci.supply import catalogue, golang, mirror
from ci.supply.catalogue import Keep

SOURCE = """import (
	"example.org/dns/provider"
	"example.org/dns/provider/aws"
	"example.org/dns/provider/azure"
)

var known = map[string]string{
	"aws":   aws.New,
	"azure": azure.New,
}
"""
PATTERN = r'provider/(\w+)"|: +(\w+)\.New'


def test_only_lines_of_plugins_are_taken_out() -> None:
    kept = golang.shortened(SOURCE, Keep("list.go", PATTERN, ("aws",)))
    assert kept == "".join(line for line in SOURCE.splitlines(keepends=True) if "azure" not in line)


def test_a_plugin_that_upstream_does_not_have_is_refused() -> None:
    with pytest.raises(Problem, match=r"list\.go has no plugin gcp"):
        golang.shortened(SOURCE, Keep("list.go", PATTERN, ("aws", "gcp")))


def test_what_is_kept_is_part_of_the_content_key() -> None:
    component = catalogue.load().get("external-dns")
    assert component.go is not None
    assert component.go.keep is not None
    fewer = Keep(component.go.keep.file, component.go.keep.lines, ("aws",))
    changed = catalogue.Component(
        component.name, component.version, component.how, component.seconds,
        go=catalogue.GoBuild(component.go.module, component.go.packages, component.go.ldflags, keep=fewer),
    )  # fmt: skip
    assert golang.key(changed) != golang.key(component)


def test_shortened_components_say_so() -> None:
    for component in catalogue.load().components.values():
        if component.go is not None and component.go.keep is not None:
            assert "compiled in" in component.note, component.name


@pytest.mark.parametrize("name", ["external-secrets", "external-dns"])
def test_the_mirror_has_the_folders_at_the_version_and_nothing_that_it_leaves_out(name: str) -> None:
    loaded = catalogue.load()
    entry = loaded.mirrors[name]
    folder = mirror.repository(settings.load(), name)
    version = loaded.get(entry.component).version
    files = _git(folder, "ls-tree", "-r", "--name-only", version).splitlines()
    assert all(any(file.startswith(f"{kept}/") for file in files) for kept in entry.folders)
    for declared in entry.without:
        file, _, key = declared.partition(":")
        if not key:
            assert file not in files
        else:
            assert f"\n{key}:" not in _git(folder, "show", f"{version}:{file}")


def test_a_block_that_is_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "Chart.yaml").write_text("name: a\ndependencies:\n- name: b\n  version: 1\n\nversion: 2\n")
    mirror._leave_out(tmp_path, "Chart.yaml:dependencies")
    assert (tmp_path / "Chart.yaml").read_text() == "name: a\nversion: 2\n"
    with pytest.raises(Problem, match="no block 'dependencies'"):
        mirror._leave_out(tmp_path, "Chart.yaml:dependencies")


def _git(folder: Path, *argv: str) -> str:
    return subprocess.run(
        ["git", "--git-dir", str(folder), *argv], capture_output=True, text=True, check=True
    ).stdout
