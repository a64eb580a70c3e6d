"""The operator itself, with the rights it has here, from AWS's secret to the Secret that pods mount."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from ci.settings import Settings
from tests.integration.gitops.apiserver import ApiServer
from tests.integration.gitops.conftest import Rendered
from tests.integration.gitops.controllers import (
    Controller,
    apply_all,
    container,
    kubeconfig,
    moto,
    running,
    until,
)  # fmt: skip

LOGIN = {
    "host": "db.example.org",
    "port": 5432,
    "username": "slipway",
    "password": "first",
    "dbname": "slipway",
}
ELSE = {"engine": "postgres", "dbInstanceIdentifier": "slipway"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("operator")


@pytest.fixture(scope="module")
def aws(folder: Path) -> Iterator[str]:
    with moto(folder) as url:
        yield url


@pytest.fixture(scope="module")
def secrets(aws: str) -> Any:
    """Secrets Manager with the database's secret, as the database stack leaves it."""
    client = boto3.client("secretsmanager", "ap-northeast-1", endpoint_url=aws,
                          aws_access_key_id="a", aws_secret_access_key="a")  # fmt: skip
    client.create_secret(Name="database-secrets", SecretString=json.dumps({**ELSE, **LOGIN}))
    return client


@pytest.fixture(scope="module")
def operator(
    api: ApiServer, rendered: Rendered, configuration: Settings, folder: Path, aws: str, secrets: Any
) -> Iterator[Controller]:
    """The operator as its Application runs it; only the stand-in's address is another one."""
    rights = ("ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")
    for name in ("external-secrets", "platform/main-prerequisites", "platform/image-updater"):
        apply_all(api, rendered[name, "local"], *rights)
    (deployment,) = [d for d in rendered["external-secrets", "local"] if d["kind"] == "Deployment"]
    arguments, env = container(deployment)
    assert set(env.values()) == {"http://slipway-aws:4566"}
    own = [each for each in arguments if "-addr" not in each] + ["--metrics-addr=0", "--live-addr=0"]
    env = dict.fromkeys(env, aws) | {
        "KUBECONFIG": str(kubeconfig(api, "external-secrets", "external-secrets", folder))
    }
    with running(configuration, "external-secrets", own, env, folder) as controller:
        yield controller


def secret(api: ApiServer, namespace: str, name: str) -> dict[str, str] | None:
    """The decoded data of a Secret, if it has any."""
    answer = api.http.get(f"/api/v1/namespaces/{namespace}/secrets/{name}")
    data = answer.json().get("data") if answer.status_code == 200 else None
    return {key: base64.b64decode(value).decode() for key, value in data.items()} if data else None


def test_the_databases_secret_arrives_with_its_five_keys_and_follows_a_rotation(
    api: ApiServer, rendered: Rendered, operator: Controller, secrets: Any
) -> None:
    documents = rendered["platform/main-prerequisites", "local"]
    apply_all(api, documents, "SecretStore")
    until(lambda: _condition(api, "main", "secretstores", "db-secrets-store"), lambda: operator.said)
    apply_all(api, documents, "ExternalSecret")
    found = until(lambda: secret(api, "main", "database-secrets"), lambda: operator.said)
    assert found == {key: str(value) for key, value in LOGIN.items()}

    secrets.put_secret_value(
        SecretId="database-secrets", SecretString=json.dumps({**LOGIN, "password": "second"})
    )
    path = "/apis/external-secrets.io/v1/namespaces/main/externalsecrets/database-secrets"
    # Not a minute later: an annotation asks for it at once.
    api.http.patch(path, json={"metadata": {"annotations": {"force-sync": "1"}}},
                   headers={"Content-Type": "application/merge-patch+json"})  # fmt: skip
    until(
        lambda: True if (secret(api, "main", "database-secrets") or {}).get("password") == "second" else None,
        lambda: operator.said,
    )


def test_deleting_the_external_secret_leaves_the_credentials_of_running_pods(
    api: ApiServer, rendered: Rendered, operator: Controller
) -> None:
    path = "/apis/external-secrets.io/v1/namespaces/main/externalsecrets/database-secrets"
    assert secret(api, "main", "database-secrets") is not None
    api.http.delete(path)
    until(lambda: True if api.http.get(path).status_code == 404 else None, lambda: operator.said)
    answer = api.http.get("/api/v1/namespaces/main/secrets/database-secrets").json()
    assert answer["metadata"].get("ownerReferences") is None
    assert "argocd.argoproj.io/tracking-id" not in answer["metadata"].get("annotations", {})
    assert secret(api, "main", "database-secrets") is not None

    apply_all(api, rendered["platform/main-prerequisites", "local"], "ExternalSecret")
    until(lambda: _condition(api, "main", "externalsecrets", "database-secrets"), lambda: operator.said)


def test_the_registrys_login_is_user_and_password_in_one_line(
    api: ApiServer, rendered: Rendered, operator: Controller
) -> None:
    apply_all(api, rendered["platform/image-updater", "local"], "ECRAuthorizationToken", "ExternalSecret")
    found = until(lambda: secret(api, "argocd", "image-updater-registry"), lambda: operator.said)
    assert set(found) == {"login"}
    user, _, password = found["login"].partition(":")
    assert user == "AWS"
    assert password
    assert ":" not in password
    assert "\n" not in found["login"]


def test_the_operator_cannot_write_another_secret_or_be_another_account(
    api: ApiServer, operator: Controller
) -> None:
    as_operator = {"user": "system:serviceaccount:external-secrets:external-secrets"}

    def may(verb: str, resource: str, namespace: str, name: str, subresource: str = "") -> bool:
        attributes = {"verb": verb, "resource": resource, "namespace": namespace, "name": name,
                      "subresource": subresource}  # fmt: skip
        review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
                  "spec": {**as_operator, "resourceAttributes": attributes}}  # fmt: skip
        answer = api.http.post("/apis/authorization.k8s.io/v1/subjectaccessreviews", json=review)
        return bool(answer.json()["status"]["allowed"])

    assert may("update", "secrets", "main", "database-secrets")
    assert may("create", "serviceaccounts", "main", "account-to-access-secrets", "token")
    assert may("create", "serviceaccounts", "argocd", "argocd-image-updater", "token")
    for namespace, name in (
        ("argocd", "git-creds"),
        ("argocd", "argocd-secret"),
        ("traefik", "edge-certificate"),
    ):
        assert not may("update", "secrets", namespace, name)
        assert not may("delete", "secrets", namespace, name)
    for namespace, account in (
        ("main", "account-for-main"), ("main", "account-for-external-dns"), ("kube-system", "default"),
        ("argocd", "argocd-application-controller"),
    ):  # fmt: skip
        assert not may("create", "serviceaccounts", namespace, account, "token")


def _condition(api: ApiServer, namespace: str, plural: str, name: str) -> bool | None:
    path = f"/apis/external-secrets.io/v1/namespaces/{namespace}/{plural}/{name}"
    conditions = api.http.get(path).json().get("status", {}).get("conditions", [])
    ready = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
    return True if ready else None
