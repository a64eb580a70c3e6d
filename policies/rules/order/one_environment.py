"""Components that one environment lacks."""

from policies.finding import Position
from policies.model.system import System
from policies.rule import Found

ID = "ORDER18"
TITLE = "An overlay exists that no Application of its environment installs"
WHY = "It is maintained and reviewed, and runs nowhere."
FIX = "Add an Application for it to gitops/apps, or delete the overlay."
_APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: main, namespace: argocd}
spec: {source: {path: gitops/main/overlays/local}}
"""
_FILES = {"gitops/main/overlays/local/kustomization.yaml": "{}\n"}
GOOD = {"rendered/local/gitops/apps": _APPLICATION, **_FILES}
BAD = {**GOOD, "gitops/other/overlays/local/kustomization.yaml": "{}\n"}


def check(system: System) -> Found:
    """Compare folders named overlays/ENV with the Applications' paths."""
    for environment in system.environments:
        if not environment.applications:
            continue
        installed = {source.key for each in environment.applications for source in each.sources}
        for folder, kustomization in system.graph.kustomizations.items():
            ours = folder.endswith(f"/overlays/{environment.name}") and folder != environment.bootstrap
            if ours and folder not in installed:
                place = Position(kustomization.document.file)
                yield place, f"no Application of {environment.name} installs {folder}"
