"""Images whose user the kubelet cannot tell from root."""

import re

from policies.finding import Position
from policies.model.system import System
from policies.rule import Found

ID = "SAFE11"
TITLE = "An image of the product sets no numeric user"
WHY = "With runAsNonRoot, the kubelet refuses a user that is a name or missing: no container starts."
FIX = "End the Dockerfile's last stage with `USER 10001:10001`."
_BAKE = 'target "eks-app" {\n  context = "."\n  tags = ["${REGISTRY}/eks-app:${VERSION}"]\n}\n'
GOOD = {"app/docker-bake.hcl": _BAKE, "app/Dockerfile": "FROM debian:bookworm-slim\nUSER 10001:10001\n"}
BAD = {"app/docker-bake.hcl": _BAKE, "app/Dockerfile": "FROM debian:bookworm-slim\nUSER app\n"}


def check(system: System) -> Found:
    """Look at the last USER of the last stage of each Dockerfile."""
    for target in system.product.targets:
        file = system.product.dockerfile(target.image) or ""
        lines = system.sources.text(file).splitlines()
        last = max((n for n, line in enumerate(lines) if line.startswith("FROM ")), default=0)
        users = [(n, line) for n, line in enumerate(lines) if n > last and line.startswith("USER ")]
        number, line = users[-1] if users else (last, "")
        if not re.fullmatch(r"USER [1-9]\d*(:\d+)?\s*", line):
            yield Position(file, number + 1), f"{target.image} runs as {line[5:] or 'root'}, not as a number"
