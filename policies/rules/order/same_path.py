"""Two Applications for one folder, or one object."""

from collections import Counter

from policies.model.system import System
from policies.rule import Found

ID = "ORDER02"
TITLE = "Two Applications own the same folder or the same object"
WHY = "Each puts back its own state and prunes what the other made; with FailOnSharedResource both fail."
FIX = "Give each folder one Application, and each object one folder."
_A = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: a, namespace: main}
"""
GOOD = {"rendered/local/gitops/a": _A, "rendered/local/gitops/b": _A.replace("name: a", "name: b")}
BAD = {"rendered/local/gitops/a": _A, "rendered/local/gitops/b": _A}


def check(system: System) -> Found:
    """Count sources, and objects by kind, namespace and name."""
    for environment in system.environments:
        keys = Counter(source.key for each in environment.applications for source in each.sources)
        for application in environment.applications:
            for source in application.sources:
                if keys[source.key] > 1:
                    place = application.at(*application.source_path, "path")
                    yield place, f"{source.path} belongs to more than one Application"
        for found in environment.same():
            for extra in found[1:]:
                yield extra.at("metadata", "name"), f"{extra.label} is also rendered by {found[0].path}"
