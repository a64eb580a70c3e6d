"""Large definitions by client-side apply."""

from policies.model.system import System
from policies.rule import Found

ID = "ORDER16"
TITLE = "An Application does not use server-side apply"
WHY = "A large CustomResourceDefinition does not fit into client-side apply's annotation, and what bootstrap put into a Secret counts as drift."
FIX = "Add ServerSideApply=true to syncPolicy.syncOptions."
_APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: main, namespace: argocd}
spec:
  source: {path: gitops/main}
  syncPolicy: {syncOptions: [ServerSideApply=true]}
"""
_SECRET = """\
apiVersion: v1
kind: Secret
metadata: {name: a, namespace: main}
"""
GOOD = {"rendered/local/gitops/apps": _APPLICATION, "rendered/local/gitops/main": _SECRET}
BAD = {**GOOD, "rendered/local/gitops/apps": _APPLICATION.replace("=true", "=false")}


def check(system: System) -> Found:
    """Look at every Application: which objects it will hold tomorrow is not known today."""
    for environment in system.environments:
        for application in environment.applications:
            if "ServerSideApply=true" not in application.options and application.sources:
                place = application.at("spec", "syncPolicy", "syncOptions")
                yield place, f"{application.name} is applied client-side"
