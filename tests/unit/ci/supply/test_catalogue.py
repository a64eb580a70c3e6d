from pathlib import Path

import pytest
import yaml

from ci.problem import Problem
from ci.supply import catalogue, enginestore, golang
from ci.supply.catalogue import HERE, GoBuild

TOOLCHAIN = '[toolchain]\nversion = "1"\n'


def write(folder: Path, text: str) -> Path:
    path = folder / "catalogue.toml"
    path.write_text(TOOLCHAIN + text)
    return path


def test_every_compiled_component_is_pinned_by_a_module_and_its_sums() -> None:
    for component in catalogue.load().components.values():
        if component.go is not None:
            folder = HERE / "modules" / component.name
            assert f"{component.go.module} {component.version}" in (folder / "go.mod").read_text()
            assert f"{component.go.module} {component.version} h1:" in (folder / "go.sum").read_text()


def test_every_image_built_from_a_dockerfile_has_its_recipe() -> None:
    for component in catalogue.load().components.values():
        if component.how in ("dockerfile", "node"):
            assert (HERE / "images" / component.name / "Dockerfile").is_file(), component.name


def test_no_folder_of_a_component_that_is_gone() -> None:
    names = set(catalogue.load().components)
    for kind in ("modules", "images"):
        assert {path.name for path in (HERE / kind).iterdir() if path.is_dir()} <= names | {"__pycache__"}


def test_what_a_build_uses_comes_before_it() -> None:
    loaded = catalogue.load()
    names = list(loaded.components)
    for component in loaded.components.values():
        for used in component.uses:
            assert names.index(used) < names.index(component.name)


def test_in_order_adds_what_the_builds_use() -> None:
    names = [component.name for component in catalogue.load().in_order(["argocd", "kind"])]
    assert names == ["kind", "kustomize", "helm", "argocd"]


def test_unknown_component_names_the_known_ones() -> None:
    with pytest.raises(Problem) as caught:
        catalogue.load().get("traefic")
    assert caught.value.what == "component 'traefic' is not in the catalogue"
    assert "kind, kustomize" in caught.value.fix


@pytest.mark.parametrize(
    "text",
    [
        '[component.a]\nversion = "1"\nhow = "go"\nseconds = 1\ncolour = "red"\n',  # unknown field
        '[component.a]\nversion = "1"\nseconds = 1\n',  # no how
        '[component.a]\nversion = "1"\nhow = "go"\nseconds = 1\nuses = ["b"]\n',  # dangling
        "[component.a\n",  # no TOML
    ],
)
def test_malformed_catalogues_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(Problem):
        catalogue.read(write(tmp_path, text))


def test_a_missing_catalogue_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="cannot be read"):
        catalogue.read(tmp_path / "none.toml")


def test_images_of_upstream_manifests_are_in_the_catalogue() -> None:
    """What bootstrap applies must be there to pull: version bumps have to reach both places."""
    images = {component.image for component in catalogue.load().components.values()}
    wanted = yaml.safe_load((HERE.parents[1] / "gitops/bootstrap/base/kustomization.yaml").read_text())
    (remote,) = [entry for entry in wanted["resources"] if entry.startswith("https://")]
    assert f"quay.io/argoproj/argocd:{remote.rpartition('ref=')[2]}" in images


@pytest.mark.parametrize(
    ("reference", "path"),
    [
        ("quay.io/argoproj/argocd:v1", "argoproj/argocd:v1"),
        ("docker.io/library/redis:8", "library/redis:8"),
        ("127.0.0.1:5000/a/b:1", "a/b:1"),
        ("localhost/a:1", "a:1"),
        ("slipway/git:1", "slipway/git:1"),
    ],
)
def test_mirror_path_is_the_name_without_its_registry(reference: str, path: str) -> None:
    assert enginestore.mirror_path(reference) == path


def test_the_key_of_a_program_follows_its_pins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    component = catalogue.load().get("kind")
    before = golang.key(component)
    for name in ("go.mod", "go.sum"):
        (tmp_path / "modules/kind").mkdir(parents=True, exist_ok=True)
        (tmp_path / "modules/kind" / name).write_text((HERE / "modules/kind" / name).read_text())
    monkeypatch.setattr(golang, "HERE", tmp_path)
    assert golang.key(component) == before
    with (tmp_path / "modules/kind/go.sum").open("a") as stream:
        stream.write("example.org/x v1.0.0 h1:=\n")
    assert golang.key(component) != before


def test_a_generated_main_imports_the_chosen_plugins() -> None:
    text = golang.generated_main(GoBuild("example.org/dns", (".",), imports=("cache", "ready")))
    assert text == (
        'package main\n\nimport (\n\t_ "example.org/dns/plugin/cache"\n\t_ "example.org/dns/plugin/ready"\n'
        '\t"example.org/dns/coremain"\n)\n\nfunc main() { coremain.Run() }\n'
    )
