"""Publishing that is killed between two images ships nothing, and the same command finishes it."""

import time

import pytest

from ci.settings import IMAGES
from tests.e2e.checkout import Checkout
from tests.e2e.environment import PRODUCT, Environment
from tests.e2e.observers import Pods, Writer
from tests.e2e.stalling import stalled

QUIET_SECONDS = 12


@pytest.mark.parametrize("published", [1, 2], ids=["after the first image", "after the second image"])
def test_killed(settled: Environment, checkout: Checkout, published: int) -> None:
    old, new = settled.version()["version"], settled.next_version()
    head, job = settled.head(), settled.job()
    checkout.touch(f"killed after {published}")

    with stalled(settled.settings, "PUT", f"/v2/{IMAGES[published]}/manifests/{new}") as gate:
        release = settled.start(
            "release", "--version", new, cwd=checkout.folder, env={"SLIPWAY_PORT": str(gate.port)}
        )
        gate.wait(release)
        other = settled.invoke("release", "--version", "v9.0.0", cwd=checkout.folder)
        release.kill()
    other.refused(f"{new} is being released right now", "wait")
    tagged = [image for image in IMAGES if new in settled.tags(image)]
    assert tagged == list(IMAGES[:published])

    with Pods(settled) as pods:
        _refresh(settled)
        time.sleep(QUIET_SECONDS)
    assert settled.head() == head
    assert settled.job() == job
    assert {tag for sample in pods.samples for pod in sample.pods for tag in pod.tags.values()} == {old}
    assert settled.unhealthy() == {}

    with Writer(settled) as writer:
        settled.release(new, checkout.folder).succeeded()
        settled.settle()
    writer.check(settled)
    assert settled.version()["version"] == new
    assert len(settled.commits_since(head)) == 1


def _refresh(environment: Environment) -> None:
    """Make Argo CD look at git now, not in two minutes."""
    environment.custom.patch_namespaced_custom_object(
        "argoproj.io", "v1alpha1", "argocd", "applications", PRODUCT,
        {"metadata": {"annotations": {"argocd.argoproj.io/refresh": "hard"}}},
    )  # fmt: skip
