"""The one door to kustomize: from an overlay's folder to the documents it renders."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from ci import shell, supply
from ci.problem import Problem
from ci.settings import ROOT, Settings
from ci.supply import mirror
from ci.supply.catalogue import load as catalogue

GITOPS = ROOT / "gitops"
_SECONDS = 120.0

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
