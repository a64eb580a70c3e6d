"""ExternalSecrets that look too seldom."""

import re

from policies.model.system import System
from policies.rule import Found

ID = "KEYS08"
TITLE = "An ExternalSecret is refreshed never, or less than once an hour"
WHY = "A rotated password reaches the cluster only then; until that time no new connection succeeds."
FIX = "Set refreshInterval: 1m for credentials that rotate."
_EXTERNAL = """\
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: db, namespace: main}
spec: {refreshInterval: 1m}
"""
GOOD = {"rendered/local/gitops/main": _EXTERNAL}
BAD = {"rendered/local/gitops/main": _EXTERNAL.replace("1m", "24h")}

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_ECR = 12 * 3600.0
_LONGEST = 3600.0


def check(system: System) -> Found:
    """Read Go's durations; the generators' tokens live for 12 hours."""
    for _, found in system.each():
        if found.kind != "ExternalSecret":
            continue
        text = str(found.get("spec", "refreshInterval") or "1h")
        generated = "generatorRef" in str(found.get("spec", "dataFrom"))
        seconds = sum(float(n) * _UNITS[unit] for n, unit in re.findall(r"([\d.]+)(ms|h|m|s)", text))
        limit = _ECR if generated else _LONGEST
        if seconds <= 0 or seconds > limit or (generated and seconds >= limit):
            yield found.at("spec", "refreshInterval"), f"{found.label} is refreshed every {text}"
        if found.get("spec", "refreshPolicy") in ("CreatedOnce", "OnChange"):
            yield found.at("spec", "refreshPolicy"), f"{found.label} is not refreshed"
