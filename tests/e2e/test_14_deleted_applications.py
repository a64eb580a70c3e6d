"""Whatever Application is deleted comes back, and everything with it."""

import time

import pytest
from kubernetes.client import ApiException

from tests.e2e.environment import APPLICATIONS, ARGOCD, PRODUCT, Environment, until

GROUP = ("argoproj.io", "v1alpha1", ARGOCD, "applications")
SECONDS = 420
KEEPS_SERVING = APPLICATIONS - {"root", "main", "traefik"}


@pytest.mark.parametrize("name", sorted(APPLICATIONS - {"root"}))
def test_a_deleted_application_comes_back_healthy(settled: Environment, name: str) -> None:
    version = settled.version()["version"]
    before = settled.custom.get_namespaced_custom_object(*GROUP, name)["metadata"]["uid"]
    settled.custom.delete_namespaced_custom_object(*GROUP, name)
    down = []

    def converged() -> bool | None:
        if name in KEEPS_SERVING and settled.product.get("/api/version").status_code != 200:
            down.append(time.strftime("%X"))
        return True if _uid(settled, name) not in (None, before) and not settled.unhealthy() else None

    until(converged, f"{name} did not come back: {settled.unhealthy()}", seconds=SECONDS, every=1)
    assert down == []
    until(lambda: True if _version(settled) == version else None, "the product does not serve", seconds=60)


def test_no_pod_ever_waited_for_a_secret_that_was_not_there(settled: Environment) -> None:
    """Of all that happened so far: a hook that runs before its Secret exists leaves such an event."""
    found = [
        f"{event.involved_object.name}: {event.message}"
        for event in settled.core.list_namespaced_event(PRODUCT).items
        if event.reason in ("FailedMount", "Failed", "CreateContainerConfigError")
        and "secret" in (event.message or "").lower()
    ]
    assert found == []


def _uid(environment: Environment, name: str) -> str | None:
    try:
        found = environment.custom.get_namespaced_custom_object(*GROUP, name)
    except ApiException as error:
        if error.status != 404:
            raise
        return None
    return str(found["metadata"]["uid"])


def _version(environment: Environment) -> str | None:
    try:
        return str(environment.version()["version"])
    except Exception:  # noqa: BLE001 - whatever is wrong, it is asked again
        return None
