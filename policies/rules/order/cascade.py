"""What deleting an Application takes along."""

from policies.model.applications import Application
from policies.model.shape import sequence
from policies.model.system import Environment, System
from policies.rule import Found

ID = "ORDER17"
TITLE = "A child Application leaves its objects behind, or the root or a set of definitions takes everything along"
WHY = "Without the finalizer, removing a child's file leaves its objects running unseen; with it, deleting the root deletes the product."
FIX = "Put resources-finalizer.argocd.argoproj.io on every child, but not on the root or on definitions."
_CHILD = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: main, namespace: argocd, finalizers: [resources-finalizer.argocd.argoproj.io]}
spec: {source: {path: gitops/main}}
"""
_ROOT = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: root, namespace: argocd}
spec: {source: {path: gitops/apps}}
"""
GOOD = {"rendered/local/gitops/bootstrap/overlays/local": _ROOT, "rendered/local/gitops/apps": _CHILD}
BAD = {
    **GOOD,
    "rendered/local/gitops/apps": _CHILD.replace(
        ", finalizers: [resources-finalizer.argocd.argoproj.io]", ""
    ),
}

_FINALIZER = "resources-finalizer.argocd.argoproj.io"


def check(system: System) -> Found:
    """Compare finalizers with who applies the Application, and with what it holds."""
    for environment in system.environments:
        for application in environment.applications:
            finalizers = sequence(application.object.get("metadata", "finalizers"))
            cascades = any(str(each).startswith(_FINALIZER) for each in finalizers)
            stays = application.object.path == environment.bootstrap or _definitions(environment, application)
            if cascades == stays:
                fault = "takes what must stay along when" if stays else "leaves its objects behind when"
                place = application.at("metadata", "finalizers" if stays else "name")
                yield place, f"{application.name} {fault} it is removed"


def _definitions(environment: Environment, application: Application) -> bool:
    """Whether it holds nothing but definitions, whose deletion would delete every object of the kind."""
    held = {found.kind for source in application.sources for found in environment.objects_of(source.key)}
    return held == {"CustomResourceDefinition"}
