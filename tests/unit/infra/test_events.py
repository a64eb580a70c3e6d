"""EventBridge's transformer and the local relay give Image Updater the same event for the same push."""

import importlib.util
import json
import re
from types import ModuleType
from typing import Any

import pytest

from ci.settings import ROOT
from tests.unit.infra.resolved import Stack

DIGEST = "sha256:" + "a" * 64
PUSH: dict[str, Any] = {
    "version": "0",
    "id": "13cde686-328b-6117-af20-0e5566167482",
    "detail-type": "ECR Image Action",
    "source": "aws.ecr",
    "account": "210987654321",
    "time": "2026-11-25T01:54:34Z",
    "region": "ap-northeast-1",
    "resources": [],
    "detail": {
        "result": "SUCCESS",
        "repository-name": "eks-app",
        "image-digest": DIGEST,
        "action-type": "PUSH",
        "image-tag": "v1.2.3",
    },
}
"""As ECR's user guide shows it."""


def rule() -> Any:
    return Stack("production", "events").properties("ImagePushed")


def transformed(event: dict[str, Any]) -> Any:
    """What EventBridge sends: the template with each <name> replaced by what its path finds."""
    transformer = rule()["Targets"][0]["InputTransformer"]

    def value(path: str) -> str:
        found: Any = event
        for name in path.removeprefix("$.").split("."):
            found = found[name]
        return str(found)

    values = {name: value(path) for name, path in transformer["InputPathsMap"].items()}
    return json.loads(re.sub(r"<(\w+)>", lambda name: values[name[1]], transformer["InputTemplate"]))


@pytest.fixture
def relay() -> ModuleType:
    spec = importlib.util.spec_from_file_location("relay", ROOT / "ci/supply/images/events/relay.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules["relay"] = module
    spec.loader.exec_module(module)
    return module


def test_the_same_event_as_on_one_machine(relay: ModuleType) -> None:
    notification = {
        "events": [
            {
                "id": PUSH["id"], "timestamp": PUSH["time"], "action": "push",
                "target": {
                    "mediaType": "application/vnd.oci.image.index.v1+json", "repository": "eks-app", "tag": "v1.2.3",
                    "digest": DIGEST,
                },
            }
        ]
    }  # fmt: skip
    expected = list(relay.cloud_events(notification, relay.Rule("210987654321", "ap-northeast-1")))
    assert [transformed(PUSH)] == expected


def test_only_versions_of_the_tracked_image_wake_it() -> None:
    pattern = rule()["EventPattern"]
    assert pattern["source"] == ["aws.ecr"]
    assert pattern["detail-type"] == ["ECR Image Action"]
    assert pattern["detail"] == {
        "action-type": ["PUSH"], "result": ["SUCCESS"], "repository-name": ["eks-app"], "image-tag": [{"prefix": "v"}],
    }  # fmt: skip


def test_the_secret_goes_in_the_header_that_image_updater_reads() -> None:
    stack = Stack("production", "events")
    key = stack.properties("Connection")["AuthParameters"]["ApiKeyAuthParameters"]
    assert key["ApiKeyName"] == "X-Webhook-Secret"
    assert key["ApiKeyValue"].endswith(":SecretString:secret}}")
    assert stack.properties("Destination")["InvocationEndpoint"] == (
        "https://image-updater.slipway.example.com/webhook?type=cloudevents"
    )
