"""Secrets whose data is in git."""

import base64
from collections.abc import Mapping
from typing import Any

from policies.model.applications import Application
from policies.model.shape import mapping, scalars
from policies.model.system import System
from policies.rule import Found

ID = "KEYS05"
TITLE = "A Secret in git has data"
WHY = "Everyone who can read the repository, now or later, has it; base64 hides nothing."
FIX = "Rotate the value, then let an ExternalSecret read it from Secrets Manager."
_SECRET = """\
apiVersion: v1
kind: Secret
metadata: {name: a, namespace: main}
"""
GOOD = {"rendered/local/gitops/main": _SECRET}
BAD = {
    "rendered/local/gitops/main": _SECRET + "stringData: {password: hunter2}\n"
}  # pragma: allowlist secret


def check(system: System) -> Found:
    """Report data and stringData of rendered Secrets; of a chart's only what the Application's values give it."""
    for environment, found in system.each():
        if found.kind == "Secret" and found.group == "":
            for field in ("data", "stringData"):
                written = mapping(found.get(field))
                if found.foreign:
                    written = _given(environment.application_of(found.path), written)
                if written:
                    yield found.at(field), f"{found.label} has {field} in git"


def _given(application: Application | None, data: Mapping[str, Any]) -> Mapping[str, Any]:
    """The part of `data` that is in the values of a chart; what the chart generates is in no repository."""
    values = application.object.get("spec", "source", "helm") if application else None
    known = {str(each) for each in scalars(values) if each not in (None, "")}
    return {key: value for key, value in data.items() if {str(value), _decoded(value)} & known}


def _decoded(value: Any) -> str:
    try:
        return base64.b64decode(str(value), validate=True).decode()
    except ValueError:
        return ""
