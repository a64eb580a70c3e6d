"""Who may pull and push: logins, rights on each repository, and what ECR has not."""

import base64
import json
import time
from typing import Any

import pytest
from standin import wire

from tests.unit.standin.cloud import ACCOUNT, LOGINS, OTHER, REGION, Cloud, federated
from tests.unit.standin.tokens import Issuer

READ = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
WRITE = ["ecr:BatchCheckLayerAvailability", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart",
         "ecr:CompleteLayerUpload", "ecr:PutImage"]  # fmt: skip


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.fixture
def asked(cloud: Cloud) -> Any:
    """Ask as nginx does; give the status for the client, and the error code."""
    for account in (ACCOUNT, OTHER):
        cloud.client("ecr", account).create_repository(
            repositoryName="eks-app", imageTagMutability="IMMUTABLE"
        )
    cloud.client("ecr").create_repository(repositoryName="eks-web", imageTagMutability="IMMUTABLE")

    def answer(login: str, method: str, uri: str) -> tuple[int, str]:
        headers = {"authorization": login, "x-original-method": method, "x-original-uri": uri}
        found = cloud.gate.answer(wire.Request("GET", "/_slipway/registry-auth", headers=headers))
        told = dict(found.headers)
        if found.status == 200:
            return 200, ""
        status = int(told["X-Refusal-Status"])
        assert found.status == (401 if status == 401 else 403)
        return status, str(json.loads(told["X-Refusal-Body"])["errors"][0]["code"])

    return answer


def token(client: Any) -> str:
    (found,) = client.get_authorization_token()["authorizationData"]
    return f"Basic {found['authorizationToken']}"


def worker(cloud: Cloud, cluster: Issuer, *statements: dict[str, Any]) -> str:
    """The login of a role with these rights."""
    provider = cloud.trust(cluster)
    login = {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"}
    arn = cloud.role("worker", federated(provider, aud="sts.amazonaws.com"), [login, *statements])
    key = cloud.assume(arn, cluster.service_account("argocd", "argocd-image-updater"))
    return token(cloud.client("ecr", key=key))


def on(name: str, actions: list[str]) -> dict[str, Any]:
    arn = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{name}"
    return {"Effect": "Allow", "Action": actions, "Resource": arn}


def test_the_token_is_as_ecr_gives_it(cloud: Cloud) -> None:
    (found,) = cloud.client("ecr").get_authorization_token()["authorizationData"]
    assert found["proxyEndpoint"] == f"https://{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
    assert base64.b64decode(found["authorizationToken"]).startswith(b"AWS:")
    assert 43190 < found["expiresAt"].timestamp() - time.time() <= 43200


@pytest.mark.parametrize(
    "login",
    ["", "Bearer x", "Basic x", "Basic !!", basic("AWS", "guessed"), basic("node", "wrong"), basic("", ""),
     basic("aws", "x"), basic("AWS", ""), basic("node", "")],
)  # fmt: skip
def test_nobody_else(asked: Any, login: str) -> None:
    for uri in ("/v2/", "/v2/eks-app/manifests/v1.0.0"):
        assert asked(login, "GET", uri)[0] == 401


def test_the_node_pulls_anything_and_pushes_nothing(asked: Any) -> None:
    login = basic("node", LOGINS["node"])
    for uri in (
        "/v2/",
        "/v2/eks-app/manifests/v1.0.0",
        "/v2/argoproj/argocd/blobs/sha256:00",
        "/v2/a/tags/list",
    ):
        assert asked(login, "GET", uri) == (200, "")
        assert asked(login, "HEAD", uri) == (200, "")
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert asked(login, method, "/v2/argoproj/argocd/blobs/uploads/x") == (403, "DENIED")


def test_bootstrap_pushes_what_is_not_the_products(asked: Any) -> None:
    login = basic("bootstrap", LOGINS["bootstrap"])
    assert asked(login, "POST", "/v2/argoproj/argocd/blobs/uploads/") == (200, "")
    assert asked(login, "PUT", "/v2/argoproj/argocd/manifests/v3") == (200, "")
    for name in ("eks-app", "eks-unknown"):
        assert asked(login, "PUT", f"/v2/{name}/manifests/v3") == (403, "DENIED")
    assert asked(login, "PUT", "/v2/../eks-app/manifests/v3") == (403, "DENIED")


def test_an_operator_reads_and_writes_the_repositories_of_the_account(cloud: Cloud, asked: Any) -> None:
    login = token(cloud.client("ecr"))
    for method, uri in (
        ("GET", "/v2/"), ("GET", "/v2/eks-app/manifests/v1"), ("HEAD", "/v2/eks-app/blobs/sha256:0"),
        ("POST", "/v2/eks-app/blobs/uploads/?mount=sha256:0&from=eks-web"), ("GET", "/v2/eks-app/tags/list?n=5"),
        ("PATCH", "/v2/eks-app/blobs/uploads/1?_state=x"), ("PUT", "/v2/eks-app/manifests/v1"),
    ):  # fmt: skip
        assert asked(login, method, uri) == (200, "")
    assert asked(login, "GET", "/v2/eks-migration/manifests/v1") == (404, "NAME_UNKNOWN")
    assert asked(login, "PUT", "/v2/eks-migration/manifests/v1") == (404, "NAME_UNKNOWN")
    assert asked(login, "GET", "/v2/argoproj/argocd/manifests/v1") == (404, "NAME_UNKNOWN")
    assert asked(login, "POST", "/v2/eks-app/blobs/uploads/?mount=sha256:0&from=other") == (
        404,
        "NAME_UNKNOWN",
    )
    assert asked(login, "DELETE", "/v2/eks-app/manifests/sha256:0") == (405, "UNSUPPORTED")
    for uri in ("/v2/_catalog", "/v2/eks-app/../eks-web/manifests/v1", "/v2/eks-app%2F/manifests/v1", "/x"):
        assert asked(login, "GET", uri)[0] == 404


def test_a_token_of_another_account_sees_that_accounts_repositories(cloud: Cloud, asked: Any) -> None:
    login = token(cloud.client("ecr", OTHER))
    assert asked(login, "GET", "/v2/eks-app/manifests/v1") == (200, "")
    assert asked(login, "GET", "/v2/eks-web/manifests/v1") == (404, "NAME_UNKNOWN")


def test_a_reader_of_one_repository(cloud: Cloud, asked: Any, cluster: Issuer) -> None:
    login = worker(cloud, cluster, on("eks-app", [*READ, "ecr:ListImages"]))
    for uri in ("/v2/", "/v2/eks-app/manifests/v1", "/v2/eks-app/blobs/sha256:0", "/v2/eks-app/tags/list"):
        assert asked(login, "GET", uri) == (200, "")
    assert asked(login, "GET", "/v2/eks-web/manifests/v1") == (403, "DENIED")
    assert asked(login, "GET", "/v2/eks-web/tags/list") == (403, "DENIED")
    assert asked(login, "PUT", "/v2/eks-app/manifests/v1") == (403, "DENIED")
    assert asked(login, "POST", "/v2/eks-app/blobs/uploads/") == (403, "DENIED")


def test_a_writer_of_one_repository(cloud: Cloud, asked: Any, cluster: Issuer) -> None:
    login = worker(cloud, cluster, on("eks-app", WRITE))
    for method, uri in (
        ("HEAD", "/v2/eks-app/blobs/sha256:0"), ("POST", "/v2/eks-app/blobs/uploads/"),
        ("PATCH", "/v2/eks-app/blobs/uploads/1"), ("PUT", "/v2/eks-app/blobs/uploads/1?digest=x"),
        ("PUT", "/v2/eks-app/manifests/v1"),
    ):  # fmt: skip
        assert asked(login, method, uri) == (200, "")
        assert asked(login, method, uri.replace("eks-app", "eks-web")) == (403, "DENIED")
    assert asked(login, "GET", "/v2/eks-app/blobs/sha256:0") == (403, "DENIED")
    assert asked(login, "GET", "/v2/eks-app/manifests/v1") == (403, "DENIED")
    mount = "/v2/eks-app/blobs/uploads/?mount=sha256:0&from=eks-web"
    assert asked(login, "POST", mount) == (403, "DENIED")


def test_rights_are_taken_as_they_are_now(cloud: Cloud, asked: Any, cluster: Issuer) -> None:
    login = worker(cloud, cluster, on("eks-app", READ))
    assert asked(login, "GET", "/v2/eks-app/manifests/v1") == (200, "")
    cloud.client("iam").delete_role_policy(RoleName="worker", PolicyName="own")
    assert asked(login, "GET", "/v2/eks-app/manifests/v1") == (403, "DENIED")


def test_a_token_lives_as_long_as_it_was_given_and_outlives_a_restart(cloud: Cloud, asked: Any) -> None:
    cloud.put("settings", {"ecr_token_seconds": 60})
    login = token(cloud.client("ecr"))
    cloud.start()
    assert asked(login, "GET", "/v2/") == (200, "")
    now = cloud.gate._state.clock
    cloud.gate._state.clock = lambda: now() + 61
    assert asked(login, "GET", "/v2/") == (401, "DENIED")


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_registry_that_fails_for_tokens_still_serves_the_node(
    cloud: Cloud, asked: Any, status: int
) -> None:
    login = token(cloud.client("ecr"))
    cloud.put("settings", {"fail_status": {"registry": status}})
    assert asked(login, "GET", "/v2/eks-app/manifests/v1")[0] == status
    assert asked(basic("node", LOGINS["node"]), "GET", "/v2/eks-app/manifests/v1") == (200, "")


def test_a_manifest_with_nobodys_login_goes_nowhere(cloud: Cloud, asked: Any) -> None:
    for header, status in ((basic("AWS", "x"), 401), (basic("node", LOGINS["node"]), 403)):
        request = wire.Request(
            "PUT", "/_slipway/registry/v2/eks-app/manifests/v1", headers={"authorization": header}
        )
        assert cloud.gate.answer(request).status == status
