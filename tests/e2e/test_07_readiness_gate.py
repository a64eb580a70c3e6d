"""A pod whose schema is not applied never becomes Ready, whoever forgot the migration."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes.client import ApiException

from tests.e2e.environment import PRODUCT, Environment, until
from tests.e2e.observers import Writer

ABSENT = "9999"
NAME = "gate"
CLOSED_SECONDS = 15


@pytest.fixture
def gate(settled: Environment) -> Iterator[Environment]:
    """The product's Deployment once more, needing a schema that is absent: what a skipped hook leaves."""
    found = settled.apps.api_client.sanitize_for_serialization(
        settled.apps.read_namespaced_deployment("main", PRODUCT)
    )
    template = found["spec"]["template"]
    template["metadata"]["labels"] = {"app.kubernetes.io/name": NAME}
    app = next(each for each in template["spec"]["containers"] if each["name"] == "app")
    app.setdefault("env", []).append({"name": "SCHEMA_HEAD", "value": ABSENT})
    spec = {
        "replicas": 1,
        "selector": {"matchLabels": {"app.kubernetes.io/name": NAME}},
        "template": template,
    }
    settled.apps.create_namespaced_deployment(
        PRODUCT,
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": NAME}, "spec": spec},
    )
    yield settled
    settled.query(f"DELETE FROM schema_revisions WHERE revision = '{ABSENT}'")
    settled.apps.delete_namespaced_deployment(NAME, PRODUCT, propagation_policy="Foreground")
    until(lambda: None if _pods(settled) else True, "the gate's pods are still there")


def test_gate_opens_with_the_schema_and_not_before(gate: Environment) -> None:
    until(lambda: _started(gate), "the pod did not start")
    with Writer(gate) as writer:
        deadline = time.monotonic() + CLOSED_SECONDS
        while time.monotonic() < deadline:
            assert _ready(gate) is None
            time.sleep(0.2)
        schema = _readyz(gate)["schema"]
        assert schema["needs"] == ABSENT
        assert ABSENT not in schema["applied"]

        gate.query(f"INSERT INTO schema_revisions (revision) VALUES ('{ABSENT}')")
        until(lambda: _ready(gate), "the gate did not open", 20)
    writer.check(gate)


def _pods(environment: Environment) -> list[Any]:
    found: list[Any] = environment.core.list_namespaced_pod(
        PRODUCT, label_selector=f"app.kubernetes.io/name={NAME}"
    ).items
    return found


def _started(environment: Environment) -> bool | None:
    states = [state for pod in _pods(environment) for state in pod.status.container_statuses or ()]
    return True if len(states) == 2 and all(state.state.running for state in states) else None


def _ready(environment: Environment) -> bool | None:
    conditions = [entry for pod in _pods(environment) for entry in pod.status.conditions or ()]
    return True if any(entry.type == "Ready" and entry.status == "True" for entry in conditions) else None


def _readyz(environment: Environment) -> dict[str, Any]:
    """The app's own answer, which must be 503."""
    name = _pods(environment)[0].metadata.name
    with pytest.raises(ApiException) as refusal:
        environment.core.connect_get_namespaced_pod_proxy_with_path(f"{name}:8080", PRODUCT, "readyz")
    assert refusal.value.status == 503
    answer: dict[str, Any] = json.loads(str(refusal.value.body))
    return answer
