"""Pods that Pod Security `restricted` refuses."""

from collections.abc import Iterator, Mapping
from typing import Any

from policies.model.objects import Container, Pod
from policies.model.shape import dig, mapping, sequence
from policies.model.system import System
from policies.rule import Found

ID = "SAFE01"
TITLE = "A container does not run as an unprivileged user without means to become more"
WHY = (
    "The API server refuses the pod in a namespace that enforces `restricted`: the Deployment stays at its old"
    " pods and the sync never ends. Elsewhere a fault in the program becomes the node's."
)
FIX = (
    "Set runAsNonRoot: true and seccompProfile RuntimeDefault on the pod; allowPrivilegeEscalation: false and"
    " capabilities.drop [ALL] on each container; no user 0."
)
_POD = """\
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: main}
spec:
  securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
  containers:
  - name: a
    image: a:v1.0.0
    securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
"""
GOOD = {"rendered/local/gitops/main/overlays/local": _POD}
BAD = {"rendered/local/gitops/main/overlays/local": _POD.replace("false", "true")}

_PROFILES = ("RuntimeDefault", "Localhost")


def check(system: System) -> Found:
    """Report each container and what it lacks."""
    for _, pod in system.pods():
        for container in pod.containers:
            for field, fault in faults(pod.spec, container.body):
                path = ("securityContext", *field)
                yield pod.at(*container.path, *path), _message(pod, container, fault)


def faults(spec: Mapping[str, Any], container: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    """What `restricted` refuses in a container: the field, and the fact. Pure, for the test against the API server."""
    own, pod = mapping(container.get("securityContext")), mapping(spec.get("securityContext"))
    if own.get("privileged") is True:
        yield ("privileged",), "is privileged"
    if own.get("allowPrivilegeEscalation") is not False:
        yield ("allowPrivilegeEscalation",), "may gain privileges: allowPrivilegeEscalation is not false"
    # What the pod says for all is judged even where every container says otherwise.
    if own.get("runAsNonRoot", pod.get("runAsNonRoot")) is not True or pod.get("runAsNonRoot") is False:
        yield ("runAsNonRoot",), "may run as root: runAsNonRoot is not true"
    if 0 in (own.get("runAsUser"), pod.get("runAsUser")):
        yield ("runAsUser",), "runs as user 0"
    if dig(own.get("seccompProfile", pod.get("seccompProfile")), "type") not in _PROFILES:
        yield ("seccompProfile",), "has no seccompProfile RuntimeDefault"
    if "ALL" not in sequence(dig(own, "capabilities", "drop")):
        yield ("capabilities",), "keeps capabilities: drop is not [ALL]"
    added = set(map(str, sequence(dig(own, "capabilities", "add")))) - {"NET_BIND_SERVICE"}
    if added:
        yield ("capabilities", "add"), f"adds capabilities {', '.join(sorted(added))}"
    if own.get("procMount") not in (None, "Default"):
        yield ("procMount",), "unmasks /proc"


def _message(pod: Pod, container: Container, fault: str) -> str:
    return f"container {container.name} of {pod.owner.label} {fault}"
