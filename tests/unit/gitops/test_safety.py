"""What must never be in the tree: secrets, moving versions, names copied from the wiring file."""

import re
from collections.abc import Iterator, Mapping

import pytest

from ci.render import GITOPS, Document
from ci.settings import wiring
from tests.unit.gitops.conftest import ENVIRONMENTS, Find

Rendered = Mapping[tuple[str, str], list[Document]]

WORKLOADS = ("Deployment", "StatefulSet", "Job")


def sources() -> Iterator[tuple[str, str]]:
    for path in sorted(GITOPS.rglob("*")):
        if path.is_file() and path.suffix != ".md":
            yield path.relative_to(GITOPS).as_posix(), path.read_text()


def pods(rendered: Rendered) -> Iterator[tuple[str, Document]]:
    for (folder, environment), documents in rendered.items():
        for document in documents:
            if document["kind"] in WORKLOADS:
                yield (
                    f"{folder} {environment} {document['metadata']['name']}",
                    document["spec"]["template"]["spec"],
                )


def containers(pod: Document) -> list[Document]:
    return [*pod.get("initContainers", []), *pod["containers"]]


def test_secrets_in_git_are_empty(rendered: Rendered) -> None:
    for documents in rendered.values():
        for document in documents:
            if document["kind"] == "Secret":
                assert not {"data", "stringData"} & set(document), document["metadata"]["name"]


def test_every_image_has_a_version(rendered: Rendered) -> None:
    for where, pod in pods(rendered):
        for container in containers(pod):
            tag = container["image"].rpartition(":")[2]
            assert re.fullmatch(r"v?\d+\.\d+\.\d+(-alpine)?", tag), (where, container["image"])


def test_upstream_is_referenced_at_a_version() -> None:
    remote = [line for _, text in sources() for line in text.splitlines() if "//" in line and "?ref=" in line]
    assert len(remote) == 3
    assert all(re.search(r"\?ref=v\d+\.\d+\.\d+$", line) for line in remote)


def test_names_of_the_wiring_file_are_nowhere_else() -> None:
    written_by_image_updater = {
        f"main/overlays/{environment}/kustomization.yaml" for environment in ENVIRONMENTS
    }
    found = set()
    for environment in ENVIRONMENTS:
        where = wiring(environment)
        words = (
            where.account, where.region, where.repo_url.removesuffix(".git"), where.domain, where.cluster_name,
            where.role_github, where.role_secrets, where.role_external_dns, where.role_image_updater,
            where.role_db_migrator, where.role_load_balancer_controller,
        )  # fmt: skip
        found |= {
            name
            for name, text in sources()
            if not re.fullmatch(r"wiring/\w+/wiring\.yaml", name) and any(word in text for word in words)
        }
    assert found == written_by_image_updater


def test_no_placeholder_is_left(rendered: Rendered) -> None:
    for key, documents in rendered.items():
        for document in documents:
            if document["kind"] not in ("CustomResourceDefinition", "ConfigMap"):
                text = repr(document)
                assert "ENVIRONMENT" not in text, key
                assert "'repoURL': 'repository'" not in text, key
                assert "['repository']" not in text, key
                assert "'registry/" not in text, key


def test_pods_meet_the_restricted_standard(rendered: Rendered) -> None:
    """The rules of Pod Security `restricted`; the API server's own verdict is asked in e2e."""
    for where, pod in pods(rendered):
        own = pod.get("securityContext", {})
        assert not any(pod.get(field) for field in ("hostNetwork", "hostPID", "hostIPC")), where
        assert all("hostPath" not in volume for volume in pod.get("volumes", [])), where
        for container in containers(pod):
            context = {**own, **container["securityContext"]}
            assert context["runAsNonRoot"] is True, where
            assert context["seccompProfile"] == {"type": "RuntimeDefault"}, where
            assert context["allowPrivilegeEscalation"] is False, where
            assert context["capabilities"] == {"drop": ["ALL"]}, where
            assert context["readOnlyRootFilesystem"] is True, where


def test_every_container_says_what_it_needs(rendered: Rendered) -> None:
    for where, pod in pods(rendered):
        for container in containers(pod):
            resources = container["resources"]
            assert set(resources["requests"]) == {"cpu", "memory"}, where
            assert "memory" in resources["limits"], where


def test_only_pods_that_talk_to_the_api_server_get_a_token(rendered: Rendered) -> None:
    for environment in ENVIRONMENTS:
        tokens = {
            document["metadata"]["name"]: document["spec"]["template"]["spec"]["automountServiceAccountToken"]
            for document in rendered["main", environment]
            if document["kind"] in WORKLOADS
        }
        assert tokens == {"main": False, "migration": True}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_operator_brings_no_webhook_that_could_stall_a_sync(rendered: Rendered, environment: str) -> None:
    kinds = {document["kind"] for document in rendered["external-secrets", environment]}
    assert kinds == {"ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Deployment"}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_operator_writes_and_impersonates_only_what_a_namespace_permits(
    rendered: Rendered, environment: str
) -> None:
    (cluster,) = [
        document
        for document in rendered["external-secrets", environment]
        if document["kind"] == "ClusterRole"
    ]
    rights = {
        resource: set(rule["verbs"])
        for rule in cluster["rules"]
        if rule["apiGroups"] == [""]
        for resource in rule["resources"]
    }
    assert rights == {
        "secrets": {"list", "watch"}, "serviceaccounts": {"list", "watch"}, "events": {"create", "patch"},
    }  # fmt: skip
    within = {
        (document["metadata"]["namespace"], resource, name): set(rule["verbs"])
        for (_, its_environment), documents in rendered.items()
        for document in documents
        if its_environment == environment
        and (document["kind"], document["metadata"]["name"]) == ("Role", "external-secrets")
        for rule in document["rules"]
        for resource in rule["resources"]
        for name in rule.get("resourceNames", ["*"])
    }
    own = {"image-updater-registry"}
    if environment == "production":
        own |= {"argocd-image-updater-secret", "git-creds"}
    assert within == {
        ("main", "serviceaccounts/token", "account-to-access-secrets"): {"create"},
        ("main", "secrets", "database-secrets"): {"get", "update", "patch"},
        ("main", "secrets", "*"): {"create"},
        ("argocd", "serviceaccounts/token", "argocd-image-updater"): {"create"},
        **{("argocd", "secrets", name): {"get", "update", "patch"} for name in own},
        ("argocd", "secrets", "*"): {"create"},
    }


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_what_is_not_used_does_not_run(rendered: Rendered, environment: str) -> None:
    running = {
        document["metadata"]["name"]
        for document in rendered["bootstrap", environment]
        if document["kind"] in WORKLOADS
    }
    assert running == {
        "argocd-application-controller", "argocd-redis", "argocd-repo-server", "argocd-server",
    }  # fmt: skip
    left = {
        document["metadata"]["name"]
        for document in rendered["bootstrap", environment]
        if re.search("dex|notification|applicationset", document["metadata"]["name"])
    }
    assert left == {"applicationsets.argoproj.io"}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_webhook_of_the_image_updater_is_let_through(find: Find, environment: str) -> None:
    folder = "platform/image-updater"
    policy = find(folder, environment, "NetworkPolicy", "argocd-image-updater-webhook")["spec"]
    service = find(folder, environment, "Service", "argocd-image-updater-webhook")["spec"]
    pod = find(folder, environment, "Deployment", "argocd-image-updater-controller")["spec"]["template"]
    label = {"control-plane": "argocd-image-updater-controller"}
    assert label.items() <= pod["metadata"]["labels"].items()
    assert policy["podSelector"] == {"matchLabels": label}
    assert policy["ingress"] == [{"ports": [{"protocol": "TCP", "port": 8082}]}]
    assert service["selector"] == label
    assert "--enable-webhook" in pod["spec"]["containers"][0]["args"]
