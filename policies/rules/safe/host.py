"""Pods that share something with their node."""

from collections.abc import Iterator, Mapping
from typing import Any

from policies.model.shape import dig, mapping, sequence
from policies.model.system import System
from policies.rule import Found

ID = "SAFE02"
TITLE = "A pod shares the node's namespaces, ports, files or kernel settings"
WHY = "Pod Security refuses it, and where it does not, the pod can read or stop what other pods do."
FIX = "Use a Service instead of the host's network, and a Secret, ConfigMap or emptyDir instead of its files."
_POD = """\
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: main}
spec:
  volumes:
  - {name: tmp, emptyDir: {}}
  containers:
  - {name: a, image: "a:v1.0.0"}
"""
GOOD = {"rendered/local/gitops/main/overlays/local": _POD}
BAD = {"rendered/local/gitops/main/overlays/local": _POD.replace("emptyDir: {}", "hostPath: {path: /}")}

Fault = tuple[tuple[str | int, ...], str]
"""A field of the pod's spec, and what is wrong with it."""

_VOLUMES = frozenset(
    {
        "name", "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim",
        "projected", "secret", "image",
    }
)  # fmt: skip
_SYSCTLS = frozenset(
    {
        "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range", "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
    }
)  # fmt: skip
_PROBES = (("readinessProbe",), ("livenessProbe",), ("startupProbe",))
_HOOKS = (("lifecycle", "preStop"), ("lifecycle", "postStart"))
_TYPES = ("", "container_t", "container_init_t", "container_kvm_t", "container_engine_t")


def check(system: System) -> Found:
    """Report each shared thing."""
    for _, pod in system.pods():
        for path, fault in faults(pod.spec):
            yield pod.at(*path), f"{pod.owner.label} {fault}"


def faults(spec: Mapping[str, Any]) -> Iterator[Fault]:
    """What `restricted` refuses in a pod as a whole: the field, and the fact."""
    for field in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(field) is True:
            yield (field,), f"has {field}"
    for number, volume in enumerate(sequence(spec.get("volumes"))):
        for kind in mapping(volume).keys() - _VOLUMES:
            yield ("volumes", number, kind), f"mounts a volume of type {kind}"
    for number, sysctl in enumerate(sequence(dig(spec, "securityContext", "sysctls"))):
        if mapping(sysctl).get("name") not in _SYSCTLS:
            yield ("securityContext", "sysctls", number), f"sets sysctl {mapping(sysctl).get('name')}"
    yield from _contexts(("securityContext",), spec.get("securityContext"))
    for field in ("initContainers", "containers", "ephemeralContainers"):
        for number, container in enumerate(sequence(spec.get(field))):
            yield from _container((field, number), mapping(container))


def _container(where: tuple[str | int, ...], container: Mapping[str, Any]) -> Iterator[Fault]:
    yield from _contexts((*where, "securityContext"), container.get("securityContext"))
    for field in (*_PROBES, *_HOOKS):
        for kind in ("httpGet", "tcpSocket"):
            asked = dig(container, *field, kind, "host")
            if asked not in (None, ""):
                yield (*where, *field, kind, "host"), f"lets the kubelet ask another host, {asked}"
    for index, port in enumerate(sequence(container.get("ports"))):
        if mapping(port).get("hostPort"):
            yield (*where, "ports", index), f"takes port {mapping(port)['hostPort']} of the node"


def _contexts(where: tuple[str | int, ...], context: Any) -> Iterator[Fault]:
    options = mapping(dig(context, "seLinuxOptions"))
    if options.get("type", "") not in _TYPES or options.get("user") or options.get("role"):
        yield (*where, "seLinuxOptions"), "sets SELinux options"
    if dig(context, "appArmorProfile", "type") == "Unconfined":
        yield (*where, "appArmorProfile"), "switches AppArmor off"
    if dig(context, "seccompProfile", "type") == "Unconfined":
        yield (*where, "seccompProfile"), "switches seccomp off"
    if dig(context, "windowsOptions", "hostProcess") is True:
        yield (*where, "windowsOptions"), "is a process of the host"
