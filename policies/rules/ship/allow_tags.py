"""Tags that a release pushes and the Image Updater does not accept, or the reverse."""

import re

from policies.model.system import System
from policies.model.updater import references
from policies.rule import Found

ID = "SHIP09"
TITLE = "An ImageUpdater's allowTags does not accept what a release pushes, or accepts more"
WHY = "Refused, no release ever arrives; too wide, a test tag such as v1.2.3-rc1 goes to production."
FIX = "Set allowTags to `regexp:^v[0-9]+\\.[0-9]+\\.[0-9]+$`, the form of ci/version.py."
_UPDATER = """\
apiVersion: argocd-image-updater.argoproj.io/v1alpha1
kind: ImageUpdater
metadata: {name: main, namespace: argocd}
spec:
  commonUpdateSettings: {updateStrategy: semver, allowTags: 'regexp:^v[0-9]+\\.[0-9]+\\.[0-9]+$'}
  applicationRefs:
  - {namePattern: main, images: [{imageName: registry.example/eks-app}]}
"""
GOOD = {"rendered/local/gitops/updater": _UPDATER}
BAD = {"rendered/local/gitops/updater": _UPDATER.replace("^v[0-9]", "^[0-9]")}

PUSHED = ("v0.1.0", "v1.2.3", "v10.20.30")
FOREIGN = ("latest", "main", "v1.2", "v1.2.3-rc1", "1.2.3", "sha-0123abc", "v1.2.3.4")


def check(system: System) -> Found:
    """Try tags that releases make, and tags that they never make."""
    for environment in system.environments:
        for reference in references(environment):
            for image in reference.images:
                place = reference.updater.at("spec", "commonUpdateSettings", "allowTags")
                kind, _, text = image.allow_tags.partition(":")
                pattern = _compile(text) if kind == "regexp" else None
                if pattern is None:
                    yield place, f"allowTags of {image.name} is no usable regular expression"
                    continue
                refused = [tag for tag in PUSHED if not pattern.search(tag)]
                accepted = [tag for tag in FOREIGN if pattern.search(tag)]
                if refused:
                    yield place, f"it refuses {', '.join(refused)}, which a release pushes"
                if accepted:
                    yield place, f"it accepts {', '.join(accepted)}, which no release pushes"


def _compile(text: str) -> re.Pattern[str] | None:
    try:
        return re.compile(text) if text else None
    except re.error:
        return None
