"""Path filters that leave out a hook, or a change."""

from policies.model.system import System
from policies.rule import Found

ID = "ORDER12"
TITLE = "A path filter (manifest-generate-paths) on an Application with hooks, or without a folder that it is made of"
WHY = "With the filter, a sync can be partial and leave out the migration; with a folder missing, a change is not seen."
FIX = "Remove the annotation where there are hooks; elsewhere list the Application's own folder and gitops/wiring."
_APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: main
  namespace: argocd
  annotations: {argocd.argoproj.io/manifest-generate-paths: /gitops/main}
spec: {source: {path: gitops/main}}
"""
_MAP = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: a, namespace: main}
"""
_FILES = {
    "gitops/main/kustomization.yaml": "resources: [../base]\n",
    "gitops/base/kustomization.yaml": "{}\n",
}
GOOD = {
    "rendered/local/gitops/apps": _APPLICATION.replace("/gitops/main", "/gitops/main;/gitops/base"),
    "rendered/local/gitops/main": _MAP,
    **_FILES,
}
BAD = {**GOOD, "rendered/local/gitops/apps": _APPLICATION}

_PATHS = "argocd.argoproj.io/manifest-generate-paths"


def check(system: System) -> Found:
    """Compare the filter with the kustomizations that the folder is made of."""
    for environment in system.environments:
        hooked = {found.path for found in environment.objects if found.hook}
        for application in environment.applications:
            filters = application.object.annotations.get(_PATHS)
            if not isinstance(filters, str) or not application.sources:
                continue
            place = application.at("metadata", "annotations", _PATHS)
            folder = application.sources[0].key
            if folder in hooked:
                yield place, f"{application.name} has hooks, which a filtered sync can leave out"
            listed = [each.strip().strip("/") for each in filters.split(";")]
            made_of = sorted({each.folder for each in system.graph.chain(folder)})
            for each in made_of:
                if not any(each == path or each.startswith(f"{path}/") for path in listed):
                    yield place, f"{application.name} is also made of {each}, which the filter leaves out"
