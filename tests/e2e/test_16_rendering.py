"""What `nox -s validate` renders is what Argo CD's repo server renders, for every Application."""

import json
import os
import subprocess
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import yaml

from ci.supply import golang
from ci.supply.catalogue import load as catalogue
from ci.validate import rendering, tree
from tests.e2e.environment import APPLICATIONS, ARGOCD, Environment

TRACKING = "argocd.argoproj.io/tracking-id"


def test_every_application_renders_as_argo_cd_renders_it(settled: Environment, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    settled.git("clone", "--quiet", settled.repository, str(clone))
    with ThreadPoolExecutor(4) as pool:
        rendered, findings, _ = rendering.everything(tree.load(settled.settings, clone), pool)
    assert findings == []
    program, kubeconfig = argocd(settled, tmp_path)
    differing = {}
    for name, (path, revision) in sources(settled).items():
        theirs = manifests(program, kubeconfig, name, revision)
        ours = rendered["local"][path]
        if normal(theirs) != normal(ours):
            differing[name] = sorted(set(normal(theirs)) ^ set(normal(ours)))
    assert differing == {}


def argocd(environment: Environment, folder: Path) -> tuple[Path, Path]:
    """The CLI from the supply under its own name, and a kubeconfig whose namespace is Argo CD's."""
    built = golang.build(environment.settings, catalogue().get("argocd")) / "cmd"
    program = folder / "argocd"
    program.symlink_to(built)
    config = yaml.safe_load(environment.settings.kubeconfig.read_text())
    for context in config["contexts"]:
        context["context"]["namespace"] = ARGOCD
    kubeconfig = folder / "kubeconfig"
    kubeconfig.touch(mode=0o600)
    kubeconfig.write_text(yaml.safe_dump(config))
    return program, kubeconfig


def sources(environment: Environment) -> dict[str, tuple[str, str]]:
    """Application to the folder that it reads, and the revision that it follows."""
    found = environment.custom.list_namespaced_custom_object(
        "argoproj.io", "v1alpha1", ARGOCD, "applications"
    )
    read = {each["metadata"]["name"]: each["spec"]["source"] for each in found["items"]}
    assert read.keys() == APPLICATIONS
    return {name: (source["path"], source["targetRevision"]) for name, source in read.items()}


def manifests(program: Path, kubeconfig: Path, name: str, revision: str) -> list[Any]:
    """What the repo server makes of an Application at a revision; without one, hooks would be left out."""
    done = subprocess.run(
        [str(program), "app", "manifests", name, "--core", "--source", "git", "--revision", revision],
        env={**os.environ, "KUBECONFIG": str(kubeconfig)},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [each for each in yaml.safe_load_all(done.stdout) if each]


def normal(documents: Iterable[Mapping[str, Any]]) -> list[str]:
    """Each document as one line: without Argo CD's tracking mark, keys in order."""
    lines = []
    for document in documents:
        copy = json.loads(json.dumps(document, default=str))
        annotations = copy["metadata"].get("annotations", {})
        annotations.pop(TRACKING, None)
        if not annotations:
            copy["metadata"].pop("annotations", None)
        lines.append(json.dumps(copy, sort_keys=True))
    return sorted(lines)
