"""Waves between Applications that nobody waits for."""

from policies.model.system import System
from policies.rule import Found

ID = "ORDER13"
TITLE = "Applications have waves, but Argo CD has no health check for Application"
WHY = "It then takes every Application for healthy as soon as it exists, and all waves run at once."
FIX = "Set resource.customizations.health.argoproj.io_Application in argocd-cm."
_KEY = "resource.customizations.health.argoproj.io_Application"
_CONFIG = f"""\
apiVersion: v1
kind: ConfigMap
metadata: {{name: argocd-cm, namespace: argocd}}
data: {{{_KEY}: "return hs"}}
"""
_APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: main, namespace: argocd, annotations: {argocd.argoproj.io/sync-wave: "1"}}
"""
GOOD = {"rendered/local/gitops/bootstrap/overlays/local": _CONFIG, "rendered/local/gitops/apps": _APPLICATION}
BAD = {**GOOD, "rendered/local/gitops/bootstrap/overlays/local": _CONFIG.replace("io_Application", "io_App")}


def check(system: System) -> Found:
    """Look for the customisation where waves differ from 0."""
    for environment in system.environments:
        waved = [each for each in environment.applications if each.wave]
        config = environment.find("ConfigMap", "argocd", "argocd-cm")
        if waved and config is not None and not config.get("data", _KEY):
            yield (
                config.at("data"),
                f"{waved[0].name} has wave {waved[0].wave}, but nothing waits for Applications",
            )
