"""SAFE01 and SAFE02 against the API server's own Pod Security admission, on generated pods."""

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from policies.rules.safe import host, privilege
from tests.integration.gitops.apiserver import ApiServer

PODS = 400
SEED = 20261125
NAMESPACE = "pod-security"
Spec = dict[str, Any]
Change = Callable[[Spec, random.Random], None]


def restricted(name: str) -> Spec:
    """A container that `restricted` admits."""
    return {
        "name": name,
        "image": "registry.example/a:v1.0.0",
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "runAsNonRoot": True,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }


def one(spec: Spec, chance: random.Random) -> Spec:
    """A container of the pod."""
    containers: list[Spec] = spec["containers"] + spec.get("initContainers", [])
    return chance.choice(containers)


def context(spec: Spec, chance: random.Random) -> Spec:
    """The security context of the pod, or of one of its containers."""
    holder = chance.choice([spec, one(spec, chance)])
    found: Spec = holder.setdefault("securityContext", {})
    return found


def own(field: str, *values: Any) -> Change:
    """Set a field of a container's security context; None removes it."""

    def change(spec: Spec, chance: random.Random) -> None:
        found = one(spec, chance).setdefault("securityContext", {})
        value = chance.choice(values)
        if value is None:
            found.pop(field, None)
        else:
            found[field] = value
        if found.get("privileged") or "SYS_ADMIN" in str(found.get("capabilities", {}).get("add")):
            found.pop(
                "allowPrivilegeEscalation", None
            )  # with both, the API server refuses the pod as invalid

    return change


def shared(field: str, *values: Any) -> Change:
    """Set a field that pod and containers have alike."""

    def change(spec: Spec, chance: random.Random) -> None:
        found, value = context(spec, chance), chance.choice(values)
        if value is None:
            found.pop(field, None)
        else:
            found[field] = value

    return change


def volume(**source: Any) -> Change:
    """Add a volume."""

    def change(spec: Spec, chance: random.Random) -> None:
        volumes = spec.setdefault("volumes", [])
        volumes.append({"name": f"v{len(volumes)}", **source})

    return change


def flag(field: str) -> Change:
    """Share one of the node's namespaces; with it, some sysctls are no valid pod at all."""

    def change(spec: Spec, chance: random.Random) -> None:
        spec[field] = chance.choice([True, False])
        spec.get("securityContext", {}).pop("sysctls", None)

    return change


def port(spec: Spec, chance: random.Random) -> None:
    """Open a port, perhaps on the node."""
    found = {"containerPort": 8080} | ({"hostPort": 8080} if chance.random() < 0.5 else {})
    spec["containers"][0]["ports"] = [found]


def sysctl(spec: Spec, chance: random.Random) -> None:
    """Set a kernel parameter."""
    names = (
        "net.ipv4.ip_unprivileged_port_start",
        "kernel.msgmax",
        "net.ipv4.tcp_syncookies",
        "net.core.somaxconn",
    )
    for field in ("hostNetwork", "hostIPC"):
        spec.pop(field, None)
    spec.setdefault("securityContext", {})["sysctls"] = [{"name": chance.choice(names), "value": "1"}]


def probe(spec: Spec, chance: random.Random) -> None:
    """Let the kubelet ask something, perhaps at another host."""
    request: Spec = {"path": "/", "port": 8080}
    if chance.random() < 0.5:
        request["host"] = chance.choice(
            ["10.0.0.1", "metadata.internal", "127.0.0.1", "::1", "localhost", ""]
        )
    spec["containers"][0][chance.choice(["livenessProbe", "readinessProbe"])] = {"httpGet": request}


def init(spec: Spec, chance: random.Random) -> None:
    """Add an init container, perhaps one that runs on."""
    container = restricted("init")
    if chance.random() < 0.5:
        container["restartPolicy"] = "Always"
    spec["initContainers"] = [container]


CHANGES: tuple[Change, ...] = (
    own("allowPrivilegeEscalation", True, None, False),
    own("privileged", True, False),
    own("capabilities", None, {}, {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}),
    own("capabilities", {"drop": ["ALL"], "add": ["SYS_ADMIN"]}, {"drop": ["CHOWN"]}, {"drop": ["CHOWN", "ALL"]}),
    own("procMount", "Default"),
    own("readOnlyRootFilesystem", True, False),
    shared("runAsNonRoot", True, False, None),
    shared("runAsUser", 0, 1000, None),
    shared("runAsGroup", 0, 1000),
    shared("seccompProfile", {"type": "Unconfined"}, {"type": "RuntimeDefault"}, None),
    shared("seccompProfile", {"type": "Localhost", "localhostProfile": "a.json"}, None),
    shared("seLinuxOptions", {"level": "s0"}, {"type": "container_t"}, {"type": "spc_t"}, {"user": "system_u"}, {"role": "r"}),
    shared("appArmorProfile", {"type": "RuntimeDefault"}, {"type": "Unconfined"}),
    volume(emptyDir={}),
    volume(hostPath={"path": "/tmp"}),  # the node's
    volume(nfs={"server": "a", "path": "/"}),
    volume(secret={"secretName": "a"}),
    volume(configMap={"name": "a"}),
    volume(projected={"sources": [{"configMap": {"name": "a"}}]}),
    volume(csi={"driver": "a.example"}),
    volume(persistentVolumeClaim={"claimName": "a"}),
    volume(iscsi={"targetPortal": "a", "iqn": "iqn.2026-01.example:a", "lun": 0}),
    volume(image={"reference": "registry.example/a:v1"}),
    flag("hostNetwork"), flag("hostPID"), flag("hostIPC"),
    port, sysctl, probe, init,
)  # fmt: skip


def specs() -> Iterator[Spec]:
    """The generated pods; the same on every machine."""
    chance = random.Random(SEED)  # noqa: S311 - nothing is kept secret here
    for number in range(PODS):
        spec: Spec = {"containers": [restricted(name) for name in ("ab" if number % 3 == 0 else "a")]}
        if number % 2:
            spec["securityContext"] = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
            for container in spec["containers"]:
                for field in chance.sample(["runAsNonRoot", "seccompProfile"], chance.randint(0, 2)):
                    del container["securityContext"][field]
        for change in chance.sample(CHANGES, chance.randint(0, 3)):
            change(spec, chance)
        yield spec


def faults(spec: Spec) -> list[str]:
    """What the two rules say."""
    found = [fault for _, fault in host.faults(spec)]
    for field in ("initContainers", "containers"):
        for container in spec.get(field, []):
            found += [fault for _, fault in privilege.faults(spec, container)]
    return found


@pytest.fixture(scope="module")
def namespace(api: ApiServer) -> ApiServer:
    labels = {
        "pod-security.kubernetes.io/enforce": "restricted",
        "pod-security.kubernetes.io/enforce-version": "v1.36",
    }
    api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}})
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "default", "namespace": NAMESPACE},
    }
    api.apply(account)
    return api


@pytest.mark.timeout(300)
def test_rules_and_api_server_agree(namespace: ApiServer) -> None:
    differing, admitted = [], 0
    for number, spec in enumerate(specs()):
        metadata = {"name": f"p{number}", "namespace": NAMESPACE}
        answer = namespace.create(
            {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}, dry_run=True
        )
        said = answer.json().get("message", "")
        # The server of this test runs without --allow-privileged, so that it says this in its own way.
        refused = "violates PodSecurity" in said or "privileged: Forbidden" in said
        assert answer.status_code == 201 or refused, (spec, said)
        admitted += answer.status_code == 201
        if (answer.status_code == 201) != (not faults(spec)):
            differing.append((spec, faults(spec), said))
    assert [each[1:] for each in differing] == []
    assert 50 < admitted < PODS - 50
