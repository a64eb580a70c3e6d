"""Upstream manifests of another version than the supply provides."""

import re
import tomllib

from policies.model.shape import mapping
from policies.model.system import System
from policies.rule import Found

ID = "SHIP12"
TITLE = "An upstream reference has another version than the supply's catalogue"
WHY = "Offline the version does not exist, and online the manifests belong to another image than the one that runs."
FIX = "Name one version in both places: ?ref= in gitops, version in ci/supply/catalogue.toml."
_CATALOGUE = """\
[component.argocd]
version = "v3.6.1"
[mirror.argo-cd]
repository = "argoproj/argo-cd"
component = "argocd"
"""
_FILE = "gitops/a/kustomization.yaml"
GOOD = {
    "ci/supply/catalogue.toml": _CATALOGUE,
    _FILE: "resources:\n- https://github.com/argoproj/argo-cd//manifests?ref=v3.6.1\n",
}
BAD = {**GOOD, _FILE: "resources:\n- https://github.com/argoproj/argo-cd//manifests?ref=v3.6.0\n"}


def check(system: System) -> Found:
    """Look each remote repository up in the catalogue's mirrors."""
    try:
        catalogue = tomllib.loads(system.sources.text("ci/supply/catalogue.toml"))
    except tomllib.TOMLDecodeError:
        return  # the supply says so itself
    versions = {
        f"github.com/{mirror['repository']}": mapping(catalogue["component"].get(mirror["component"])).get(
            "version"
        )
        for mirror in mapping(catalogue.get("mirror")).values()
    }
    for each in system.graph.kustomizations.values():
        for reference in each.references:
            if not reference.remote:
                continue
            ref = re.search(r"[?&]ref=([^&]+)", reference.text)
            for repository, version in versions.items():
                named = re.search(rf"{re.escape(repository)}(\.git)?/", reference.text) is not None
                if named and (ref is None or not ref[1].endswith(str(version))):
                    yield reference.position, f"{repository} is in the catalogue at {version}"
