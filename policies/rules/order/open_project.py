"""Projects that permit everything."""

from policies.model.objects import Object
from policies.model.shape import mapping, sequence
from policies.model.system import System
from policies.rule import Found

ID = "ORDER10"
TITLE = "A project permits every source, destination or kind"
WHY = "A commit to the product's folder can then make itself cluster-admin; the project is the only thing in the way."
FIX = "List the repository, the namespaces, and the kinds that are really used."
_PROJECT = """\
apiVersion: argoproj.io/v1alpha1
kind: AppProject
metadata: {name: main, namespace: argocd}
spec:
  sourceRepos: [https://example.org/a.git]
  destinations: [{server: https://kubernetes.default.svc, namespace: main}]
  clusterResourceWhitelist: []
  namespaceResourceWhitelist: [{group: "", kind: Service}]
"""
GOOD = {"rendered/local/gitops/bootstrap/overlays/local": _PROJECT}
BAD = {"rendered/local/gitops/bootstrap/overlays/local": _PROJECT.replace("https://example.org/a.git", "'*'")}

_FIELDS = (
    ("sourceRepos", (), "source that fits a pattern"),
    ("destinations", ("namespace", "server"), "destination"),
    ("clusterResourceWhitelist", ("kind", "group"), "kind"),
    ("namespaceResourceWhitelist", ("kind", "group"), "kind"),
)


def check(system: System) -> Found:
    """Look for `*`, and for lists that are missing where missing means everything."""
    for environment in system.environments:
        for project in environment.projects.values():
            yield from _open(project.object)


def _open(found: Object) -> Found:
    for field, keys, what in _FIELDS:
        for number, each in enumerate(sequence(found.get("spec", field))):
            values = [mapping(each).get(key) for key in keys] if keys else [each]
            if any(value == "*" or (not keys and "*" in str(value)) for value in values):
                yield found.at("spec", field, number), f"project {found.name} permits every {what}"
    if found.get("spec", "namespaceResourceWhitelist") is None:
        yield found.at("spec"), f"project {found.name} lists no kinds, so it permits every namespaced one"
