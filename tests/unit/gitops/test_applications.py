"""What the Applications install, in which order, and whether their projects let them."""

from collections.abc import Mapping
from fnmatch import fnmatchcase

import pytest

from ci.render import Document
from ci.settings import ROOT, wiring
from tests.unit.gitops.conftest import ENVIRONMENTS, Find, folder_of

Rendered = Mapping[tuple[str, str], list[Document]]

CLUSTER_SCOPED = {"Namespace", "CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding"}


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


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_waves_put_what_the_migration_needs_before_it(rendered: Rendered, environment: str) -> None:
    waves = {
        document["metadata"]["name"]: document["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"]
        for document in rendered["apps", environment]
    }
    assert waves == {"main-prerequisites": "0", "main": "1", "argocd-image-updater": "2"}


def test_every_path_exists_and_every_overlay_belongs_to_one_application(
    applications: list[Document], rendered: Rendered
) -> None:
    paths = [application["spec"]["source"]["path"] for application in applications]
    assert len(paths) == len(set(paths))
    assert all((ROOT / path / "kustomization.yaml").is_file() for path in paths)
    assert {folder_of(application) for application in applications} == {
        key for key in rendered if key[0] != "bootstrap"
    }


def test_applications_read_the_repository_of_the_wiring_file(applications: list[Document]) -> None:
    for application in applications:
        environment = folder_of(application)[1]
        source = application["spec"]["source"]
        assert source["repoURL"] == wiring(environment).repo_url
        assert source["targetRevision"] == "main"


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
    assert retries == {"root": -1, "main-prerequisites": 10, "main": 0, "argocd-image-updater": 10}


def test_an_application_with_hooks_is_not_filtered_by_paths(
    applications: list[Document], rendered: Rendered
) -> None:
    for application in applications:
        has_hooks = any(
            "argocd.argoproj.io/hook" in document["metadata"].get("annotations", {})
            for document in rendered[folder_of(application)]
        )
        annotations = application["metadata"]["annotations"]
        assert has_hooks != ("argocd.argoproj.io/manifest-generate-paths" in annotations)


def test_path_filters_cover_the_folder_and_the_wiring(applications: list[Document]) -> None:
    for application in applications:
        filtered = application["metadata"]["annotations"].get("argocd.argoproj.io/manifest-generate-paths")
        if filtered:
            folder, _ = folder_of(application)
            assert filtered.split(";") == [f"/gitops/{folder}", "/gitops/wiring"]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_projects_permit_all_of_their_applications_and_nothing_else(
    rendered: Rendered, applications: list[Document], find: Find, environment: str
) -> None:
    used: dict[str, set[tuple[str, str]]] = {}
    for application in applications:
        folder, its_environment = folder_of(application)
        if its_environment != environment:
            continue
        spec = application["spec"]
        project = find("bootstrap", environment, "AppProject", spec["project"])
        assert project["spec"]["sourceRepos"] == [spec["source"]["repoURL"]]
        assert spec["destination"] in project["spec"]["destinations"]
        for document in rendered[folder, environment]:
            assert permitted(project, document), (spec["project"], document["kind"], document["metadata"])
            used.setdefault(spec["project"], set()).add((group(document), document["kind"]))
    for name, kinds in used.items():
        spec = find("bootstrap", environment, "AppProject", name)["spec"]
        listed = spec["clusterResourceWhitelist"] + spec["namespaceResourceWhitelist"]
        # What a Deployment and a Job make must be permitted too: Image Updater reads their images.
        made = {("apps", "ReplicaSet"), ("", "Pod")} if name == "main" else set()
        assert {(item["group"], item["kind"]) for item in listed} == kinds | made


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
