"""Applications are found by walking from bootstrap; what does not render is a finding at its file."""

from concurrent.futures import ThreadPoolExecutor

from ci.validate import rendering
from ci.validate.tree import Rendered, Tree
from policies.finding import Finding
from tests.unit.ci.validate.conftest import Plant

ROOT = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: root, namespace: argocd}
spec: {source: {path: gitops/apps}, destination: {namespace: argocd}}
"""
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: main}\n"
FILES = {
    "gitops/bootstrap/overlays/local/kustomization.yaml": "resources: [root.yaml]\n",
    "gitops/bootstrap/overlays/local/root.yaml": ROOT,
    "gitops/apps/kustomization.yaml": "resources: [main.yaml]\n",
    "gitops/apps/main.yaml": ROOT.replace("name: root", "name: main").replace("gitops/apps", "gitops/main"),
    "gitops/main/kustomization.yaml": "resources: [map.yaml]\n",
    "gitops/main/map.yaml": MAP,
}


def walk(tree: Tree) -> tuple[Rendered, list[Finding], bool]:
    with ThreadPoolExecutor(2) as pool:
        return rendering.everything(tree, pool)


def test_walks_from_bootstrap_to_what_applications_install(plant: Plant) -> None:
    rendered, findings, kept = walk(plant(FILES))
    assert list(rendered["local"]) == ["gitops/bootstrap/overlays/local", "gitops/apps", "gitops/main"]
    assert [found["kind"] for found in rendered["local"]["gitops/main"]] == ["ConfigMap"]
    assert (findings, kept) == ([], False)


def test_second_time_is_kept_until_a_file_changes(plant: Plant) -> None:
    first = plant(FILES)
    walk(first)
    again = plant(FILES)
    assert walk(again)[2] is True
    assert again.rendered == first.rendered
    changed = plant({"gitops/main/map.yaml": MAP.replace("name: a", "name: b")})
    rendered, _, kept = walk(changed)
    assert kept is False
    assert changed.rendered != first.rendered
    assert rendered["local"]["gitops/main"][0]["metadata"]["name"] == "b"


def test_a_broken_kustomization_is_a_finding_at_its_file(plant: Plant) -> None:
    _, (finding,), _ = walk(plant({**FILES, "gitops/main/kustomization.yaml": "resources: [gone.yaml]\n"}))
    assert str(finding.position) == "gitops/main/kustomization.yaml:1:1"
    assert finding.id == "RENDER"
    assert "gone.yaml" in finding.message


def test_a_missing_folder_is_a_finding_at_the_application(plant: Plant) -> None:
    apps = {"gitops/apps/main.yaml": FILES["gitops/apps/main.yaml"].replace("gitops/main", "gitops/mian")}
    _, (finding,), _ = walk(plant({**FILES, **apps}))
    assert str(finding.position) == "gitops/apps/main.yaml:4:17"
    assert finding.message == "gitops/mian has no kustomization"
