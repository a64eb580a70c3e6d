"""From a rendered field to the line of the file that sets it."""

import pytest

from policies.model.system import System
from policies.sources import Sources

BASE = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: main
spec:
  replicas: 2
  template:
    spec:
      containers:
      - name: app
        image: eks-app
      - name: web
        image: eks-web
"""
PATCH = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: main
spec:
  template:
    spec:
      containers:
      - name: web
        image: patched
"""
FILES = {
    "gitops/base/kustomization.yaml": (
        "resources:\n- d.yaml\n- https://github.com/a/b//c?ref=v1.0.0\n"
        "configMapGenerator:\n- name: files\n  literals: [a=b]\n"
    ),
    "gitops/base/d.yaml": BASE,
    "gitops/main/overlays/local/kustomization.yaml": (
        "resources: [../../../base]\npatches:\n- path: p.yaml\nimages:\n- name: eks-app\n"
        "  newName: r/eks-app\n  newTag: v1.0.0\n"
    ),
    "gitops/main/overlays/local/p.yaml": PATCH,
}
DEPLOYMENT = {
    "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "main", "namespace": "main"},
    "spec": {"replicas": 2, "template": {"spec": {"containers": [
        {"name": "web", "image": "patched"}, {"name": "app", "image": "r/eks-app:v1.0.0"},
    ]}}},
}  # fmt: skip
GENERATED = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "files-abc"}}
UPSTREAM = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "theirs"}}


@pytest.fixture
def system() -> System:
    sources = Sources({name: text.encode() for name, text in FILES.items()})
    return System(sources, {"local": {"gitops/main/overlays/local": [DEPLOYMENT, GENERATED, UPSTREAM]}})


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (("spec", "replicas"), "gitops/base/d.yaml:6:3"),
        (("spec", "template", "spec", "containers", 0, "image"), "gitops/main/overlays/local/p.yaml:10:9"),
        (("spec", "template", "spec", "containers", 1, "image"), "gitops/base/d.yaml:11:9"),
        (("spec", "strategy"), "gitops/base/d.yaml:5:1"),
    ],
)
def test_fields(system: System, path: tuple[str | int, ...], place: str) -> None:
    assert str(system.environments[0].objects[0].at(*path)) == place


def test_image_set_by_a_kustomization(system: System) -> None:
    (pod,) = system.environments[0].pods
    places = [str(pod.image_at(container)) for container in pod.containers]
    assert places == [
        "gitops/main/overlays/local/p.yaml:10:9",
        "gitops/main/overlays/local/kustomization.yaml:7:3",
    ]


def test_generated_and_upstream_objects(system: System) -> None:
    _, generated, upstream = system.environments[0].objects
    assert str(generated.at("data")) == "gitops/base/kustomization.yaml:5:3"
    assert str(upstream.at("data")) == "gitops/base/kustomization.yaml:3:3"
    assert [each.ours for each in system.environments[0].objects] == [True, False, False]
