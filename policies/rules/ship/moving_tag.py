"""Images by a name that can mean something else tomorrow."""

import re

from policies.model.objects import split_image
from policies.model.system import System
from policies.rule import Found

ID = "SHIP01"
TITLE = "An image has no tag, or one that moves"
WHY = "Two nodes can run two programs under one name, a rollback changes nothing, and no release is needed to break it."
FIX = "Name a version, as v1.2.3, or a digest."
_POD = """\
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: main}
spec: {containers: [{name: a, image: "redis:8.10.1"}]}
"""
GOOD = {"rendered/local/gitops/main/overlays/local": _POD}
BAD = {"rendered/local/gitops/main/overlays/local": _POD.replace("8.10.1", "latest")}

_VERSION = re.compile(r"v?\d+\.\d+(\.\d+)?([-+._][A-Za-z0-9.]+)*")


def check(system: System) -> Found:
    """Report tags that are no version, where there is no digest."""
    for _, pod in system.pods():
        for container in pod.containers:
            _, tag, digest = split_image(container.image)
            if not digest and not _VERSION.fullmatch(tag):
                what = f"tag {tag}, which moves" if tag else "no tag, so it is `latest`"
                yield pod.image_at(container), f"image {container.image} of {container.name} has {what}"
