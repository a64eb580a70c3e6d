"""The kind cluster: one node that finds every image in the local registry."""

import hashlib
import json
from pathlib import Path
from typing import Any

import yaml

from ci import shell, supply
from ci.local import aws, ecr, engine, host, secret
from ci.problem import Problem
from ci.progress import step
from ci.settings import Settings
from ci.supply import enginestore, node

EDGE_NODE_PORT = 30443
"""Where Traefik answers on the node (gitops/platform/traefik)."""
_MIRROR = "/etc/containerd/certs.d/_default"
_WRAPPER = "/usr/local/sbin/slipway-runc"
_CRI = 'plugins."io.containerd.grpc.v1.cri"'


def ensure(settings: Settings) -> None:
    """Have the cluster running; a stopped node is started, a missing one is created."""
    state = node_state(settings)
    if state == "running":
        return
    if state is not None:
        with step("start the cluster's stopped node"):
            shell.run("docker", "start", settings.node)
        return
    with step(f"create the kind cluster '{settings.name}'", 45):
        _create(settings)


def node_state(settings: Settings) -> str | None:
    """Docker's state of the node's container (running, exited, ...), or None without one."""
    found = shell.run("docker", "inspect", "--format", "{{.State.Status}}", settings.node, ok=(0, 1))
    return found.out.strip() if found.code == 0 else None


def publishes(settings: Settings, port: int) -> bool:
    """Whether a container of this environment holds `port` on 127.0.0.1."""
    found = shell.run("docker", "ps", "--filter", f"publish={port}", "--format", "{{.Names}}", ok=(0, 1))
    return any(name.startswith(f"{settings.name}-") for name in found.out.split())


def delete(settings: Settings) -> None:
    """Delete the cluster with its node and kubeconfig; no cluster is no error."""
    if node_state(settings) is None:
        return
    shell.run("docker", "rm", "--force", "--volumes", settings.node)
    settings.kubeconfig.unlink(missing_ok=True)


def configuration(settings: Settings, built: bool, runc: Path | None) -> dict[str, Any]:
    """The kind configuration; `built` tells our own node image from upstream's."""
    mounts = [{"hostPath": str(_mirror_folder(settings)), "containerPath": _MIRROR, "readOnly": True}]
    patches = [f'version = 2\n[{_CRI}.registry]\n  config_path = "{Path(_MIRROR).parent}"\n']
    if runc is not None:
        mounts.append({"hostPath": str(runc), "containerPath": _WRAPPER, "readOnly": True})
        patches.append(
            f"version = 2\n[{_CRI}]\n  restrict_oom_score_adj = true\n"
            f'[{_CRI}.containerd.runtimes.runc.options]\n  BinaryName = "{_WRAPPER}"\n'
        )
    return {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "name": settings.name,
        "networking": {"disableDefaultCNI": built, "podSubnet": "10.244.0.0/16"},
        "containerdConfigPatches": patches,
        "kubeadmConfigPatches": [
            yaml.safe_dump(_cluster_patch(built, issuer(settings))),
            yaml.safe_dump(_kubelet_patch(host.read().cgroup)),
        ],
        "nodes": [
            {
                "role": "control-plane",
                "image": supply.image(settings, "node"),
                "extraMounts": mounts,
                "extraPortMappings": [
                    {
                        "containerPort": EDGE_NODE_PORT,
                        "hostPort": settings.port,
                        "listenAddress": "127.0.0.1",
                    }
                ],
            }
        ],
    }


def issuer(settings: Settings) -> str:
    """The cluster's issuer of ServiceAccount tokens: what EKS would call it, so that roles trust it.

    The last part stands for the cluster: 32 upper-case hexadecimal digits, here made of its name.
    """
    wiring = settings.wiring
    cluster = f"{wiring.account}/{wiring.region}/{wiring.cluster_name}"
    identity = hashlib.sha256(cluster.encode()).hexdigest()[:32].upper()
    return f"https://oidc.eks.{wiring.region}.amazonaws.com/id/{identity}"


def _cluster_patch(built: bool, token_issuer: str) -> dict[str, Any]:
    # etcd's write barrier only matters when the machine itself crashes; a local cluster is rebuilt then
    local: dict[str, Any] = {"extraArgs": [{"name": "unsafe-no-fsync", "value": "true"}]}
    # Tokens for the API server itself carry its own audience, as on EKS.
    server = [
        {"name": "service-account-issuer", "value": token_issuer},
        {"name": "api-audiences", "value": "https://kubernetes.default.svc"},
    ]
    patch: dict[str, Any] = {
        "kind": "ClusterConfiguration", "etcd": {"local": local}, "apiServer": {"extraArgs": server},
    }  # fmt: skip
    if built:
        tags = node.component_tags()
        local["imageTag"] = tags["etcd"]
        patch["dns"] = {"imageTag": tags["coredns"]}
    return patch


def _kubelet_patch(cgroup: int) -> dict[str, Any]:
    patch: dict[str, Any] = {"kind": "KubeletConfiguration", "serializeImagePulls": False}
    if cgroup == 1:
        patch["failCgroupV1"] = False
    return patch


def _mirror_folder(settings: Settings) -> Path:
    """The containerd mirror setting: every image name is asked of the local registry, with the node's login.

    On EKS the kubelet logs in to ECR with the node's role.
    """
    folder = secret.private_folder(settings.state / "containerd-mirror")
    host = f'host."http://{ecr.ALIAS}:{ecr.PORT}"'
    login = aws.registry_login(settings, "node")
    secret.write(
        folder / "hosts.toml",
        f'[{host}]\n  capabilities = ["pull", "resolve"]\n'
        f'[{host}.header]\n  Authorization = ["{login.header}"]\n',
    )
    return folder


def _create(settings: Settings) -> None:
    built = bool(enginestore.key_of(supply.image(settings, "node")))
    config = configuration(settings, built, engine.wrapper(settings))
    log = settings.state / "kind.log"
    log.unlink(missing_ok=True)
    try:
        shell.run(
            str(supply.tool(settings, "kind")), "create", "cluster", "--config", "-",
            "--kubeconfig", str(settings.kubeconfig), "--wait", "150s", "--retain",
            stdin=json.dumps(config), env={"KIND_EXPERIMENTAL_DOCKER_NETWORK": settings.network},
            log=log, timeout=400,
        )  # fmt: skip
    except shell.CommandFailed as error:
        _keep_node_log(settings)
        delete(settings)
        raise Problem(
            f"kind could not create the cluster: {_reason(error)}",
            fix=f"read {log} and node.log beside it, then run the command again",
        ) from error
    settings.kubeconfig.chmod(0o600)


def _reason(error: shell.CommandFailed) -> str:
    lines = error.result.out.splitlines()
    told = [line for line in lines if line.lower().startswith("error")]
    return told[0] if told else error.last_words


def _keep_node_log(settings: Settings) -> None:
    """Save what kubelet and containerd of a failed node said, before the node goes."""
    units = ("journalctl", "--no-pager", "-u", "kubelet", "-u", "containerd")
    said = shell.run("docker", "exec", settings.node, *units, ok=range(256), timeout=30)
    (settings.state / "node.log").write_text(said.out + said.err)
