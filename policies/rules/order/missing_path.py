"""Applications that point at nothing."""

from policies.kustomization import NAMES
from policies.model.system import System
from policies.rule import Found

ID = "ORDER01"
TITLE = "An Application's path has no kustomization or chart"
WHY = "Argo CD cannot render it: the Application stays Unknown, and its wave blocks every later one."
FIX = "Correct spec.source.path, or the replacement in gitops/wiring/fill that fills in the environment."
_APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: main, namespace: argocd}
spec: {source: {path: gitops/main/overlays/local}}
"""
GOOD = {
    "rendered/local/gitops/apps": _APPLICATION,
    "gitops/main/overlays/local/kustomization.yaml": "resources: []\n",
}
BAD = {**GOOD, "rendered/local/gitops/apps": _APPLICATION.replace("overlays", "overlay")}


def check(system: System) -> Found:
    """Look for the folder of every source that is in this repository."""
    for environment in system.environments:
        repository = environment.wiring.get("repoUrl")
        for application in environment.applications:
            for source in application.sources:
                ours = not source.chart and (
                    repository is None or source.repository in (repository, "repository", "")
                )
                files = (*NAMES, "Chart.yaml")
                if ours and not any(f"{source.key}/{name}" in system.sources.names for name in files):
                    place = application.at(*application.source_path, "path")
                    yield place, f"{application.name} reads {source.path}, where nothing is to render"
