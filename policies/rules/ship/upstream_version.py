"""Upstream manifests by a name that moves."""

import re

from policies.model.system import System
from policies.rule import Found

ID = "SHIP11"
TITLE = "An upstream reference has no version, or one that moves"
WHY = "`stable`, `main` or `HEAD` change what is installed without a commit here, and no one can go back."
FIX = "End the URL with ?ref=vX.Y.Z, the version in ci/supply/catalogue.toml."
_FILE = "gitops/a/kustomization.yaml"
GOOD = {_FILE: "resources:\n- https://github.com/argoproj/argo-cd//manifests/cluster-install?ref=v3.6.1\n"}
BAD = {_FILE: "resources:\n- https://github.com/argoproj/argo-cd//manifests/cluster-install?ref=stable\n"}

_PINNED = re.compile(r"[?&]ref=(v?\d+\.\d+\.\d+|[\w.-]+-v?\d+\.\d+\.\d+|[0-9a-f]{40})(&|$)")


def check(system: System) -> Found:
    """Look at remote resources and at Helm charts."""
    for each in system.graph.kustomizations.values():
        for reference in each.references:
            if reference.remote and not _PINNED.search(reference.text):
                yield reference.position, f"{reference.text} is not at a version"
        for number, chart in enumerate(each.value.get("helmCharts") or []):
            if isinstance(chart, dict) and not re.fullmatch(r"v?\d+\.\d+\.\d+", str(chart.get("version"))):
                yield (
                    each.document.at("helmCharts", number, "version"),
                    f"chart {chart.get('name')} has no version",
                )
