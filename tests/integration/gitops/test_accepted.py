"""What the overlays render, asked of a real API server: schema, immutable fields, Pod Security."""

import time
from collections.abc import Mapping

import pytest

from ci.render import Document
from tests.integration.gitops.apiserver import ApiServer
from tests.unit.gitops.conftest import ENVIRONMENTS

Rendered = Mapping[tuple[str, str], list[Document]]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_object_is_accepted_as_it_is(api: ApiServer, rendered: Rendered, environment: str) -> None:
    refused = []
    for (folder, its_environment), documents in rendered.items():
        for document in documents:
            if its_environment == environment:
                answer = api.apply(document, dry_run=True)
                deadline = time.monotonic() + 10
                while answer.status_code == 404 and time.monotonic() < deadline:
                    time.sleep(0.2)  # a definition is served a moment after it was applied
                    answer = api.apply(document, dry_run=True)
                if answer.status_code not in (200, 201):
                    name = f"{document['kind']}/{document['metadata']['name']}"
                    refused.append((folder, name, answer.json()["message"]))
    assert refused == []


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_pod_is_admitted_by_its_namespace(api: ApiServer, rendered: Rendered, environment: str) -> None:
    refused, asked = [], 0
    for (folder, its_environment), documents in rendered.items():
        for document in documents:
            if its_environment != environment or document["kind"] not in ("Deployment", "StatefulSet", "Job"):
                continue
            template, namespace = document["spec"]["template"], document["metadata"]["namespace"]
            account = {"name": template["spec"]["serviceAccountName"], "namespace": namespace}
            api.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account})
            pod = {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {
                    **template["metadata"],
                    "name": document["metadata"]["name"],
                    "namespace": namespace,
                },
                "spec": template["spec"],
            }
            asked += 1
            answer = api.create(pod, dry_run=True)
            if answer.status_code != 201:
                refused.append((folder, document["metadata"]["name"], answer.json()["message"]))
    assert refused == []
    assert asked >= 8


def test_a_privileged_pod_is_refused(api: ApiServer) -> None:
    """The check above would notice: the namespaces do enforce the standard."""
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "privileged", "namespace": "main"},
        "spec": {"hostNetwork": True, "containers": [{"name": "a", "image": "a:1"}]},
    }
    api.apply(
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": "main"}}
    )
    answer = api.create(pod, dry_run=True)
    assert answer.status_code == 403
    assert 'violates PodSecurity "restricted:v1.36"' in answer.json()["message"]
