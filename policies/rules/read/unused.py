"""Manifests that nothing includes."""

import posixpath

from policies.finding import Position
from policies.kustomization import NAMES
from policies.model.shape import dig
from policies.model.system import System
from policies.rule import Found

ID = "READ09"
TITLE = "A manifest is part of no kustomization"
WHY = "It looks as if it were applied. Forgotten in `resources`, a NetworkPolicy or a patch has no effect."
FIX = "List the file in the kustomization of its folder, or delete it."
GOOD = {"gitops/a/kustomization.yaml": "resources: [b.yaml]\n", "gitops/a/b.yaml": "kind: B\n"}
BAD = {"gitops/a/kustomization.yaml": "resources: []\n", "gitops/a/b.yaml": "kind: B\n"}


def check(system: System) -> Found:
    """Report manifests below gitops that no kustomization names; a file without a kind is none."""
    named = {
        reference.target for each in system.graph.kustomizations.values() for reference in each.references
    }
    for name in system.sources.under("gitops", ".yaml", ".yml"):
        if name in named or posixpath.basename(name) in NAMES:
            continue
        document = system.sources.document(name)
        if document is not None and dig(document.value, "kind") is not None:
            yield Position(name), "no kustomization lists this file"
