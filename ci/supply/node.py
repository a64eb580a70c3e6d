"""kind's node image, built where no registry has one, with the control plane's images inside."""

import re
import shutil
from pathlib import Path

from ci import shell
from ci.settings import Settings
from ci.supply import enginestore, golang, images, store
from ci.supply.catalogue import HERE, Component, load

_CONTROL_PLANE = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")


def build(settings: Settings, component: Component, buildx: Path) -> None:
    """Build the node: kind's own files on Debian, Kubernetes, and its images preloaded."""
    assert component.image is not None
    catalogue = load()
    log = settings.cache / "logs" / "node.log"
    with store.scratch(settings.cache) as context:
        shutil.copytree(HERE / "images" / "node", context, dirs_exist_ok=True)
        for owner in component.uses:
            images.copy_programs(settings, catalogue, owner, context / "bin")
        kind = golang.module_folder(settings, catalogue.get("kind"))
        shutil.copytree(kind / "images/base/files", context / "module", copy_function=shutil.copyfile)
        for path in [context / "module", *(context / "module").rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)
        (context / "version").write_text(component.version)
        key = images.key(component)
        references = _control_plane_images(settings, buildx, context, component.version)
        images.buildx_build(settings, buildx, "node", context, "slipway/node-base", key, "node")
    with store.scratch(settings.cache) as folder:
        archive = folder / "control-plane.tar"
        shell.run("docker", "save", "--output", str(archive), *references)
        _preload(settings, archive, component.image, log)


def component_tags() -> dict[str, str]:
    """Tags under which the built node holds etcd and CoreDNS, for kubeadm's configuration."""
    catalogue = load()
    return {
        "etcd": f"{catalogue.get('etcd').version.removeprefix('v')}-0",
        "coredns": catalogue.get("coredns").version,
    }


def _control_plane_images(settings: Settings, buildx: Path, context: Path, version: str) -> list[str]:
    """Build the images kubeadm expects and return their names."""
    pause = _pause_image(context)
    tags = component_tags()
    wanted = {f"registry.k8s.io/{name}:{version}": ("program", name) for name in _CONTROL_PLANE}
    wanted[f"registry.k8s.io/kube-proxy:{version}"] = ("kube-proxy", "kube-proxy")
    wanted[f"registry.k8s.io/etcd:{tags['etcd']}"] = ("program", "etcd")
    wanted[f"registry.k8s.io/coredns/coredns:{tags['coredns']}"] = ("program", "coredns")
    wanted[pause] = ("pause", "pause")
    log = settings.cache / "logs" / "node.log"
    for reference, (target, program) in wanted.items():
        shell.run(
            str(buildx), "build", "--builder", "default", "--progress", "plain", "--load",
            "--target", target, "--build-arg", f"PROGRAM={program}", "--tag", reference,
            str(context), log=log,
        )  # fmt: skip
    return list(wanted)


def _pause_image(context: Path) -> str:
    """The sandbox image named in the containerd configuration of kind's node."""
    config = (context / "module" / "etc/containerd/config.toml").read_text()
    found = re.search(r'sandbox_image = "([^"]+)"', config)
    assert found is not None
    return found[1]


def _preload(settings: Settings, archive: Path, reference: str, log: Path) -> None:
    """Import the control plane's images into the node's containerd and commit the result."""
    name = "slipway-node-preload"
    shell.run("docker", "rm", "--force", "--volumes", name, ok=(0, 1))
    shell.run(
        "docker", "run", "--detach", "--name", name, "--entrypoint", "sleep",
        "--volume", f"{archive}:/control-plane.tar:ro", "slipway/node-base", "infinity",
    )  # fmt: skip
    script = (
        "set -e; containerd >/tmp/containerd.log 2>&1 & pid=$!; "
        "for i in $(seq 100); do ctr version >/dev/null 2>&1 && break; sleep 0.2; done; "
        "ctr -n k8s.io images import --no-unpack --digests "
        "--label=io.cri-containerd.pinned=pinned --label=io.cri-containerd.image=managed "
        "/control-plane.tar; "
        "kill $pid; wait $pid || true; rm -f /tmp/containerd.log"
    )
    try:
        shell.run("docker", "exec", name, "bash", "-c", script, log=log)
        shell.run(
            "docker", "commit", "--change", 'ENTRYPOINT ["/usr/local/bin/entrypoint", "/sbin/init"]',
            "--change", "CMD []", name, reference,
        )  # fmt: skip
    finally:
        shell.run("docker", "rm", "--force", "--volumes", name, ok=(0, 1))
    assert enginestore.key_of(reference)
