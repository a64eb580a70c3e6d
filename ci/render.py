"""The one door to kustomize and Helm: from an overlay's folder, or an Application, to its documents."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from ci import shell, supply
from ci.problem import Problem
from ci.settings import ROOT, Settings
from ci.supply import charts, mirror
from ci.supply.catalogue import load as catalogue

GITOPS = ROOT / "gitops"
_SECONDS = 120.0
_WITHOUT_NAMESPACE = ("ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition", "Namespace")

Document = dict[str, Any]
"""One rendered object, as the API server takes it."""


def overlay(settings: Settings, path: Path, env: Mapping[str, str] | None = None) -> list[Document]:
    """Render the kustomization in the folder `path`.

    `env` tells git where upstream's repositories are, as `mirrors` returns it; without it, remote
    bases are fetched from their real URL. A kustomization that does not render raises Problem.
    """
    if not path.is_dir():
        raise Problem(f"overlay {_short(path)} is missing", fix=f"create {_short(path)}/kustomization.yaml")
    kustomize = supply.tool(settings, "kustomize")
    try:
        result = shell.run(str(kustomize), "build", str(path), env=env, timeout=_SECONDS)
    except shell.CommandFailed as failed:
        raise Problem(
            f"overlay {_short(path)} does not render: {failed.last_words}",
            fix=f"run `kustomize build {_short(path)}` and correct what it names",
        ) from failed
    return [document for document in yaml.load_all(result.out, _Loader) if document]


def upstream(settings: Settings, application: Document) -> list[Document]:
    """Render an Application whose source is an upstream repository that the supply mirrors.

    A folder with a chart is rendered by Helm as Argo CD does it, CRDs included; in any other folder
    the manifests that `include` names are taken as they are. Problem where no mirror has the repository.
    """
    source, name = application["spec"]["source"], application["metadata"]["name"]
    repository = _mirrored(settings, name, source["repoURL"])
    with tempfile.TemporaryDirectory(prefix="slipway-render-") as folder:
        tree = Path(folder) / "tree"
        tree.mkdir()
        git = ("git", "--git-dir", str(repository), "--work-tree", str(tree))
        index = {"GIT_INDEX_FILE": f"{folder}/index"}  # not the repository's: others may read it as well
        shell.run(*git, "checkout", "--quiet", source["targetRevision"], "--", source["path"], env=index)
        path = tree / source["path"]
        if (path / "Chart.yaml").exists():
            return _chart(settings, application, path)
        patterns = _alternatives(source.get("directory", {}).get("include", "*.yaml"))
        chosen = [found for found in sorted(path.iterdir()) if any(map(found.match, patterns))]
        texts = [found.read_text() for found in chosen]
    return [document for text in texts for document in yaml.load_all(text, _Loader) if document]


def chart(settings: Settings, application: Document) -> list[Document] | None:
    """Render an Application whose chart is in a chart repository; None where that does not answer."""
    source = application["spec"]["source"]
    packed = charts.archive(settings, source["repoURL"], source["chart"], source["targetRevision"])
    return None if packed is None else _chart(settings, application, packed)


def _alternatives(include: str) -> list[str]:
    """The patterns of Argo CD's `include`, which knows `{a,b}` around the whole of it."""
    return include[1:-1].split(",") if include.startswith("{") else [include]


def _chart(settings: Settings, application: Document, path: Path) -> list[Document]:
    options = application["spec"]["source"].get("helm", {})
    namespace = application["spec"]["destination"]["namespace"]
    try:
        result = shell.run(
            str(supply.tool(settings, "helm")), "template",
            options.get("releaseName", application["metadata"]["name"]), str(path),
            "--namespace", namespace, "--include-crds", "--values", "-",
            stdin=yaml.safe_dump(options.get("valuesObject", {})), timeout=_SECONDS,
        )  # fmt: skip
    except shell.CommandFailed as failed:
        raise Problem(
            f"the chart of Application '{application['metadata']['name']}' does not render: {failed.last_words}",
            fix="correct its spec.source.helm",
        ) from failed
    documents = [document for document in yaml.load_all(result.out, _Loader) if document]
    for document in documents:  # as Argo CD does for what a chart leaves to the release
        if document["kind"] not in _WITHOUT_NAMESPACE:
            document["metadata"].setdefault("namespace", namespace)
    return documents


def _mirrored(settings: Settings, application: str, url: str) -> Path:
    for name, entry in catalogue().mirrors.items():
        if url.removesuffix(".git") == f"https://github.com/{entry.repository}":
            return mirror.repository(settings, name)
    raise Problem(f"{url} of Application '{application}' has no mirror", fix="add one to the catalogue")


def mirrors(settings: Settings) -> dict[str, str]:
    """Return the environment in which git reads upstream's repositories from the supply's mirrors.

    Commits are those of the pinned modules, so a render needs no network and is the same everywhere.
    """
    found = {
        f"url.{mirror.repository(settings, name).as_uri()}.insteadOf": f"https://github.com/{entry.repository}"
        for name, entry in catalogue().mirrors.items()
    }
    env = {"GIT_CONFIG_COUNT": str(len(found))}
    for number, (key, value) in enumerate(found.items()):
        env |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return env


def _short(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


class _Loader(yaml.CSafeLoader):
    """Keeps dates as text, as Kubernetes does; PyYAML would make objects of them."""


_Loader.yaml_implicit_resolvers = {
    first: [resolver for resolver in resolvers if not resolver[0].endswith(":timestamp")]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
# `=` alone is a string in what Kubernetes reads; YAML 1.1 gives it a type that no loader constructs.
del _Loader.yaml_implicit_resolvers["="]
