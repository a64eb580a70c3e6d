"""What the Applications install, in which order, and whether their projects let them."""

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase

import pytest

from ci.render import Document
from ci.settings import ROOT, wiring
from ci.supply import catalogue
from tests.unit.gitops.conftest import ELSEWHERE, ENVIRONMENTS, UPSTREAM, Find, folder_of

Rendered = Mapping[tuple[str, str], list[Document]]

CLUSTER_SCOPED = {
    "Namespace", "CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding", "IngressClass",
    "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding",
}  # fmt: skip
EDGE = {"local": "traefik", "production": "aws-load-balancer-controller"}


def group(document: Document) -> str:
    version: str = document["apiVersion"]
    return version.rpartition("/")[0]


def permitted(project: Document, document: Document) -> bool:
    """The rules of Argo CD's AppProject.IsGroupKindNamePermitted, for lists without wildcards."""
    spec, name = project["spec"], document["metadata"]["name"]
    kind = {"group": group(document), "kind": document["kind"]}
    if document["kind"] in CLUSTER_SCOPED:
        return any(
            {"group": item["group"], "kind": item["kind"]} == kind
            and fnmatchcase(name, item.get("name") or "*")
            for item in spec["clusterResourceWhitelist"]
        )
    namespaces = {destination["namespace"] for destination in spec["destinations"]}
    return kind in spec["namespaceResourceWhitelist"] and document["metadata"]["namespace"] in namespaces


def find_all(rendered: Rendered, environment: str) -> list[Document]:
    """The Applications of one environment, root included."""
    documents = rendered["apps", environment] + rendered["bootstrap", environment]
    return [document for document in documents if document["kind"] == "Application"]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_waves_put_what_the_migration_needs_before_it(rendered: Rendered, environment: str) -> None:
    waves = {
        document["metadata"]["name"]: document["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"]
        for document in rendered["apps", environment]
    }
    assert waves == {
        "external-secrets-crds": "0",
        EDGE[environment]: "0",
        "external-secrets": "1",
        "main-prerequisites": "2",
        "main": "3",
        "external-dns": "4",
        "argocd-image-updater": "4",
    }


def test_every_path_exists_and_every_overlay_belongs_to_one_application(
    applications: list[Document], rendered: Rendered
) -> None:
    ours = [application for application in applications if folder_of(application)]
    paths = [application["spec"]["source"]["path"] for application in ours]
    assert len(paths) == len(set(paths))
    assert all((ROOT / path / "kustomization.yaml").is_file() for path in paths)
    assert {folder_of(application) for application in ours} == {
        key for key in rendered if key[0] != "bootstrap" and key[0] not in UPSTREAM
    }


def test_applications_read_the_repository_of_the_wiring_file(applications: list[Document]) -> None:
    for application in applications:
        if where := folder_of(application):
            source = application["spec"]["source"]
            assert source["repoURL"] == wiring(where[1]).repo_url
            assert source["targetRevision"] == "main"


def test_what_upstream_packages_comes_from_upstream_at_a_version(applications: list[Document]) -> None:
    sources = {
        application["metadata"]["name"]: application["spec"]["source"]
        for application in applications
        if folder_of(application) is None
    }
    assert set(sources) == {*UPSTREAM, *ELSEWHERE}
    for name in UPSTREAM:
        assert sources[name]["repoURL"] == "https://github.com/external-secrets/external-secrets.git"
        assert sources[name]["targetRevision"] == catalogue.load().get("external-secrets").version
    for name in ELSEWHERE:
        assert re.fullmatch(r"\d+\.\d+\.\d+", sources[name]["targetRevision"])


def test_the_definitions_are_those_of_the_kinds_that_are_used(rendered: Rendered) -> None:
    assert {document["metadata"]["name"] for document in rendered["external-secrets-crds", "local"]} == {
        "externalsecrets.external-secrets.io", "secretstores.external-secrets.io",
        "ecrauthorizationtokens.generators.external-secrets.io", "generatorstates.generators.external-secrets.io",
    }  # fmt: skip


def test_deleting_an_application_takes_its_objects_along_but_no_definition(
    applications: list[Document],
) -> None:
    finalizers = {
        application["metadata"]["name"]: application["metadata"].get("finalizers", [])
        for application in applications
    }
    kept = {name for name, found in finalizers.items() if found != ["resources-finalizer.argocd.argoproj.io"]}
    assert kept == {"root", "external-secrets-crds"}


def test_all_applications_sync_prune_and_heal_by_themselves(applications: list[Document]) -> None:
    for application in applications:
        policy = application["spec"]["syncPolicy"]
        assert policy["automated"] == {"prune": True, "selfHeal": True}
        assert "ServerSideApply=true" in policy["syncOptions"]


def test_only_a_new_commit_runs_a_failed_migration_again(applications: list[Document]) -> None:
    retries = {
        application["metadata"]["name"]: application["spec"]["syncPolicy"]["retry"]["limit"]
        for application in applications
    }
    assert {name for name, limit in retries.items() if limit == -1} == {"root"}
    assert {name for name, limit in retries.items() if limit == 0} == {"main"}
    assert set(retries.values()) == {-1, 0, 10}


def test_an_application_with_hooks_is_not_filtered_by_paths(
    applications: list[Document], rendered: Rendered
) -> None:
    for application in applications:
        where = folder_of(application)
        if where is None:
            continue  # another repository, at one version: there is nothing to filter
        has_hooks = any(
            "argocd.argoproj.io/hook" in document["metadata"].get("annotations", {})
            for document in rendered[where]
        )
        annotations = application["metadata"]["annotations"]
        assert has_hooks != ("argocd.argoproj.io/manifest-generate-paths" in annotations)


def test_path_filters_cover_the_folder_and_the_wiring(applications: list[Document]) -> None:
    for application in applications:
        filtered = application["metadata"]["annotations"].get("argocd.argoproj.io/manifest-generate-paths")
        if filtered:
            where = folder_of(application)
            assert where is not None
            assert filtered.split(";") == [f"/gitops/{where[0]}", "/gitops/wiring"]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_projects_permit_all_of_their_applications_and_nothing_else(
    rendered: Rendered, find: Find, environment: str
) -> None:
    used: dict[str, set[tuple[str, str]]] = {}
    sources: dict[str, set[str]] = {}
    destinations: dict[str, set[str]] = {}
    for application in find_all(rendered, environment):
        name, spec = application["metadata"]["name"], application["spec"]
        project = find("bootstrap", environment, "AppProject", spec["project"])
        assert spec["destination"] in project["spec"]["destinations"]
        sources.setdefault(spec["project"], set()).add(spec["source"]["repoURL"])
        destinations.setdefault(spec["project"], set()).add(spec["destination"]["namespace"])
        if name in ELSEWHERE:
            continue
        documents = rendered[folder_of(application) or (name, environment)]
        if "CreateNamespace=true" in spec["syncPolicy"]["syncOptions"]:
            namespace = {"name": spec["destination"]["namespace"]}
            documents = [*documents, {"apiVersion": "v1", "kind": "Namespace", "metadata": namespace}]
        for document in documents:
            assert permitted(project, document), (spec["project"], document["kind"], document["metadata"])
            used.setdefault(spec["project"], set()).add((group(document), document["kind"]))
            if "namespace" in document["metadata"]:
                destinations[spec["project"]].add(document["metadata"]["namespace"])
    for name, kinds in used.items():
        spec = find("bootstrap", environment, "AppProject", name)["spec"]
        listed = spec["clusterResourceWhitelist"] + spec["namespaceResourceWhitelist"]
        # What a Deployment and a Job make must be permitted too: Image Updater reads their images.
        made = {("apps", "ReplicaSet"), ("", "Pod")} if name == "main" else set()
        assert {(item["group"], item["kind"]) for item in listed} == kinds | made
        assert all("name" in item for item in spec["clusterResourceWhitelist"])
        assert {item["namespace"] for item in spec["destinations"]} == destinations[name]
    for name, urls in sources.items():
        assert set(find("bootstrap", environment, "AppProject", name)["spec"]["sourceRepos"]) == urls


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_default_project_permits_nothing(find: Find, environment: str) -> None:
    spec = find("bootstrap", environment, "AppProject", "default")["spec"]
    assert {key: value for key, value in spec.items() if key != "description"} == {
        "sourceRepos": [],
        "destinations": [],
        "clusterResourceWhitelist": [],
        "namespaceResourceWhitelist": [],
    }


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_objects_without_namespace_are_cluster_scoped(rendered: Rendered, environment: str) -> None:
    for (_, its_environment), documents in rendered.items():
        for document in documents:
            if its_environment == environment:
                has_namespace = "namespace" in document["metadata"]
                assert has_namespace != (document["kind"] in CLUSTER_SCOPED), document["metadata"]


def test_no_object_is_rendered_by_two_overlays(rendered: Rendered) -> None:
    for environment in ENVIRONMENTS:
        seen = [
            (document["kind"], document["metadata"].get("namespace"), document["metadata"]["name"])
            for (_, its_environment), documents in rendered.items()
            if its_environment == environment
            for document in documents
        ]
        assert len(seen) == len(set(seen))
