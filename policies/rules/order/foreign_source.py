"""Applications that read another repository or a moving revision."""

from policies.model.system import System
from policies.rule import Found

ID = "ORDER14"
TITLE = "An Application does not read this repository at main"
WHY = "What is reviewed here is not what runs there; the Image Updater's commits go to a branch that nobody reads."
FIX = "Let gitops/wiring/fill set repoURL, and keep targetRevision: main."
_APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: main, namespace: argocd}
spec: {source: {repoURL: https://example.org/a.git, targetRevision: main, path: gitops/main}}
"""
_WIRING = {"gitops/wiring/local/wiring.yaml": "data: {repoUrl: https://example.org/a.git}\n"}
GOOD = {"rendered/local/gitops/apps": _APPLICATION, **_WIRING}
BAD = {"rendered/local/gitops/apps": _APPLICATION.replace("Revision: main", "Revision: HEAD"), **_WIRING}


def check(system: System) -> Found:
    """Compare with the wiring file. Charts of others have a version instead of a branch."""
    for environment in system.environments:
        repository = environment.wiring.get("repoUrl")
        for application in environment.applications:
            for source in application.sources:
                if repository is None:
                    continue
                field = application.source_path
                if not source.path.startswith("gitops/"):
                    if not source.revision.lstrip("v")[:1].isdigit():
                        yield (
                            application.at(*field, "targetRevision"),
                            f"{application.name} reads {source.repository} at {source.revision or 'HEAD'}",
                        )
                elif source.repository != repository:
                    yield application.at(*field, "repoURL"), f"{application.name} reads {source.repository}"
                elif source.revision != "main":
                    yield (
                        application.at(*field, "targetRevision"),
                        f"{application.name} reads {source.revision or 'HEAD'}",
                    )
