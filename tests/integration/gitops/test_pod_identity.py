"""The admission policy that stands for EKS's webhook, in a real API server."""

import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.gitops.apiserver import ApiServer
from tests.integration.gitops.conftest import Rendered

ROLE = "arn:aws:iam::123456789012:role/role-for-tests"
PATH = "/var/run/secrets/eks.amazonaws.com/serviceaccount"
VARIABLES = [
    {"name": "AWS_STS_REGIONAL_ENDPOINTS", "value": "regional"},
    {"name": "AWS_DEFAULT_REGION", "value": "ap-northeast-1"},
    {"name": "AWS_REGION", "value": "ap-northeast-1"},
    {"name": "AWS_ROLE_ARN", "value": ROLE},
    {"name": "AWS_WEB_IDENTITY_TOKEN_FILE", "value": f"{PATH}/token"},
]
MOUNT = {"name": "aws-iam-token", "mountPath": PATH, "readOnly": True}
CONTAINER: dict[str, Any] = {"name": "one", "image": "example.org/one:1.0.0"}

Admit = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def namespace(api: ApiServer, rendered: Rendered) -> str:
    """A namespace in which the policy is in force."""
    for document in rendered["bootstrap", "local"]:
        if document["kind"].startswith("MutatingAdmissionPolicy"):
            assert api.apply(document).status_code in (200, 201)
    name = f"identity-{uuid.uuid4().hex[:8]}"
    api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    _account(api, name, "plain", {})
    _account(api, name, "with-role", {"eks.amazonaws.com/role-arn": ROLE})
    deadline = time.monotonic() + 20  # the policy is in force a moment after it was applied
    while "volumes" not in _admit(api, name, "with-role", {"containers": [CONTAINER]}):
        assert time.monotonic() < deadline, "the policy changes nothing"
        time.sleep(0.2)
    return name


@pytest.fixture
def admit(api: ApiServer, namespace: str) -> Admit:
    """Returns the spec of a pod as it was admitted for an account."""
    return lambda account, **spec: _admit(api, namespace, account, {"containers": [CONTAINER], **spec})


def test_pod_of_an_account_with_a_role_gets_token_and_variables(admit: Admit) -> None:
    spec = admit("with-role")
    (container,) = spec["containers"]
    assert container["env"] == VARIABLES
    assert container["volumeMounts"] == [MOUNT]
    (volume,) = spec["volumes"]
    assert volume["name"] == "aws-iam-token"
    assert volume["projected"]["sources"] == [
        {
            "serviceAccountToken": {
                "audience": "sts.amazonaws.com", "expirationSeconds": 86400, "path": "token",
            }
        }
    ]  # fmt: skip


def test_pod_of_an_account_without_a_role_stays_as_it_is(admit: Admit) -> None:
    spec = admit("plain")
    assert "volumes" not in spec
    assert "env" not in spec["containers"][0]
    assert "volumeMounts" not in spec["containers"][0]


def test_every_container_gets_it_beside_what_it_has(admit: Admit) -> None:
    own = {"name": "own", "emptyDir": {}}
    second = {
        "name": "two", "image": "example.org/two:1.0.0", "env": [{"name": "OWN", "value": "1"}],
        "volumeMounts": [{"name": "own", "mountPath": "/own"}],
    }  # fmt: skip
    spec = admit("with-role", containers=[CONTAINER, second], initContainers=[{**second, "name": "first"}],
                 volumes=[own])  # fmt: skip
    assert [volume["name"] for volume in spec["volumes"]] == ["own", "aws-iam-token"]
    assert spec["containers"][0]["env"] == VARIABLES
    for container in (spec["containers"][1], spec["initContainers"][0]):
        assert container["env"] == [{"name": "OWN", "value": "1"}, *VARIABLES]
        assert container["volumeMounts"] == [{"name": "own", "mountPath": "/own"}, MOUNT]


def test_a_pod_that_brings_the_token_itself_is_left_alone(admit: Admit) -> None:
    spec = admit("with-role", volumes=[{"name": "aws-iam-token", "emptyDir": {}}])
    assert spec["volumes"] == [{"name": "aws-iam-token", "emptyDir": {}}]
    assert "env" not in spec["containers"][0]


def test_the_account_may_choose_how_long_a_token_lives(api: ApiServer, namespace: str) -> None:
    annotations = {"eks.amazonaws.com/role-arn": ROLE, "eks.amazonaws.com/token-expiration": "3600"}
    _account(api, namespace, "hourly", annotations)
    time.sleep(1)
    (volume,) = _admit(api, namespace, "hourly", {"containers": [CONTAINER]})["volumes"]
    assert volume["projected"]["sources"][0]["serviceAccountToken"]["expirationSeconds"] == 3600


def _account(api: ApiServer, namespace: str, name: str, annotations: dict[str, str]) -> None:
    metadata = {"name": name, "namespace": namespace, "annotations": annotations}
    answer = api.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})
    assert answer.status_code in (200, 201), answer.text


def _admit(api: ApiServer, namespace: str, account: str, spec: dict[str, Any]) -> dict[str, Any]:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"pod-{uuid.uuid4().hex[:8]}", "namespace": namespace},
        "spec": {"serviceAccountName": account, "automountServiceAccountToken": False, **spec},
    }
    answer = api.create(pod, dry_run=True)
    assert answer.status_code == 201, answer.text
    admitted: dict[str, Any] = answer.json()["spec"]
    return admitted
