"""One Secret, two makers."""

from collections import defaultdict

from policies.model.needs import secret_of
from policies.model.objects import Object
from policies.model.system import System
from policies.rule import Found

ID = "KEYS09"
TITLE = "Two objects make the same Secret"
WHY = "They overwrite each other; Argo CD and External Secrets then take turns, and pods see either value."
FIX = "Give the ExternalSecret's target a name of its own, or set creationPolicy: Merge on purpose."
_EXTERNAL = """\
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: db, namespace: main}
spec: {target: {name: database-secrets}}
"""
GOOD = {"rendered/local/gitops/main": _EXTERNAL}
BAD = {
    "rendered/local/gitops/main": _EXTERNAL
    + "---\napiVersion: v1\nkind: Secret\nmetadata: {name: database-secrets, namespace: main}\n"
}


def check(system: System) -> Found:
    """Collect ExternalSecrets and Secrets by the Secret that they make."""
    for environment in system.environments:
        makers: dict[tuple[str, str], list[Object]] = defaultdict(list)
        for found in environment.kind("Secret", ""):
            makers[found.namespace, found.name].append(found)
        for found in environment.kind("ExternalSecret"):
            if found.get("spec", "target", "creationPolicy") not in ("Merge", "None"):
                makers[secret_of(found)].append(found)
        for (_, name), each in makers.items():
            for extra in each[1:]:
                if extra.kind != each[0].kind or extra.path != each[0].path or extra.kind == "ExternalSecret":
                    yield (
                        extra.at("metadata", "name"),
                        f"{extra.label} and {each[0].label} both make Secret {name}",
                    )
