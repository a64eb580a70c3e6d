"""What deleting an Application takes along."""

from policies.model.shape import sequence
from policies.model.system import System
from policies.rule import Found

ID = "ORDER17"
TITLE = "A child Application leaves its objects behind, or the root takes everything along"
WHY = "Without the finalizer, removing a child's file leaves its objects running unseen; with it, deleting the root deletes the product."
FIX = "Put resources-finalizer.argocd.argoproj.io on every child and not on the root."
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
    """Compare finalizers with who applies the Application."""
    for environment in system.environments:
        for application in environment.applications:
            root = application.object.path == environment.bootstrap
            cascades = any(
                str(each).startswith(_FINALIZER)
                for each in sequence(application.object.get("metadata", "finalizers"))
            )
            if cascades == root:
                fault = (
                    "takes everything along when it is deleted"
                    if root
                    else "leaves its objects behind when it is removed"
                )
                yield (
                    application.at("metadata", "finalizers" if root else "name"),
                    f"{application.name} {fault}",
                )
