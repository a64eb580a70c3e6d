"""A release is one fact: the tag of eks-app."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from ci import render, shell, supply
from ci.render import Document
from ci.settings import IMAGES, Settings, wiring
from tests.unit.gitops.conftest import ENVIRONMENTS, Find


def product_images(documents: list[Document]) -> dict[str, str]:
    """Container name to image, of the Deployment and the migration Job."""
    return {
        container["name"]: container["image"]
        for document in documents
        if document["kind"] in ("Deployment", "Job")
        for container in document["spec"]["template"]["spec"]["containers"]
    }


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_setting_the_app_image_moves_all_three(
    configuration: Settings, tmp_path: Path, environment: str
) -> None:
    registry = wiring(environment).registry
    copy = shutil.copytree(render.GITOPS, tmp_path / "gitops")
    overlay = copy / "main" / "overlays" / environment
    kustomize = str(supply.tool(configuration, "kustomize"))
    shell.run(kustomize, "edit", "set", "image", f"eks-app={registry}/eks-app:v9.9.9", cwd=overlay)
    assert product_images(render.overlay(configuration, overlay)) == {
        "app": f"{registry}/eks-app:v9.9.9",
        "web": f"{registry}/eks-web:v9.9.9",
        "migration": f"{registry}/eks-migration:v9.9.9",
    }


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_overlay_names_the_registry_of_the_wiring_file(
    rendered: Mapping[tuple[str, str], list[Document]], environment: str
) -> None:
    registry = wiring(environment).registry
    names = {image.rpartition(":")[0] for image in product_images(rendered["main", environment]).values()}
    assert names == {f"{registry}/{image}" for image in IMAGES}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_image_updater_tracks_the_app_alone_and_writes_to_its_overlay(
    find: Find, environment: str
) -> None:
    where = wiring(environment)
    spec = find("platform/image-updater", environment, "ImageUpdater", "main")["spec"]
    assert spec == {
        "commonUpdateSettings": {
            "updateStrategy": "semver",
            "allowTags": r"regexp:^v[0-9]+\.[0-9]+\.[0-9]+$",
        },
        "writeBackConfig": {
            "method": "git",
            "gitConfig": {
                "repository": where.repo_url,
                "branch": "main",
                "writeBackTarget": f"kustomization:/gitops/main/overlays/{environment}",
            },
        },
        "applicationRefs": [
            {
                "namePattern": "main",
                "images": [
                    {
                        "alias": "app",
                        "imageName": f"{where.registry}/eks-app",
                        "manifestTargets": {"kustomize": {"name": "eks-app"}},
                    }
                ],
            }
        ],
    }


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_image_updater_comes_after_its_definition(find: Find, environment: str) -> None:
    updater = find("platform/image-updater", environment, "ImageUpdater", "main")
    assert updater["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"] == "1"
    crd = find(
        "platform/image-updater", environment, "CustomResourceDefinition",
        "imageupdaters.argocd-image-updater.argoproj.io",
    )  # fmt: skip
    assert "argocd.argoproj.io/sync-wave" not in crd["metadata"].get("annotations", {})


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_migration_is_a_hook_that_ends(find: Find, environment: str) -> None:
    job = find("main", environment, "Job", "migration")
    assert job["metadata"]["annotations"] == {
        "argocd.argoproj.io/hook": "PreSync",
        "argocd.argoproj.io/hook-delete-policy": "BeforeHookCreation",
    }
    own = {key: value for key, value in job["spec"].items() if key != "template"}
    assert own == {"activeDeadlineSeconds": 120, "backoffLimit": 0}
    pod = job["spec"]["template"]["spec"]
    assert pod["restartPolicy"] == "Never"
    assert pod["serviceAccountName"] == "account-for-db-migrator"


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_what_the_pods_name_is_there_a_wave_earlier(
    rendered: Mapping[tuple[str, str], list[Document]], environment: str
) -> None:
    there = {
        (document["kind"], document["metadata"]["name"])
        for document in rendered["platform/main-prerequisites", environment]
    }
    for document in rendered["main", environment]:
        if document["kind"] in ("Deployment", "Job"):
            pod = document["spec"]["template"]["spec"]
            assert ("ServiceAccount", pod["serviceAccountName"]) in there
            secrets = {volume["secret"]["secretName"] for volume in pod["volumes"] if "secret" in volume}
            assert secrets == {"database-secrets"}
            # Its target has the same name, and the wave waits until it is there.
            assert all(("ExternalSecret", secret) in there for secret in secrets)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_migration_may_write_its_report_and_nothing_else(find: Find, environment: str) -> None:
    where = "platform/main-prerequisites"
    assert find(where, environment, "Role", "migration-report")["rules"] == [
        {
            "apiGroups": [""],
            "resources": ["configmaps"],
            "resourceNames": ["migration-report"],
            "verbs": ["get", "patch"],
        },
        {"apiGroups": ["batch"], "resources": ["jobs"], "resourceNames": ["migration"], "verbs": ["patch"]},
    ]
    assert find(where, environment, "RoleBinding", "migration-report")["subjects"] == [
        {"kind": "ServiceAccount", "name": "account-for-db-migrator", "namespace": "main"}
    ]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_rollout_never_goes_below_two(find: Find, environment: str) -> None:
    spec = find("main", environment, "Deployment", "main")["spec"]
    assert spec["replicas"] == 2
    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": "100%"}
    assert find("main", environment, "PodDisruptionBudget", "main")["spec"]["minAvailable"] == 1


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_image_updater_runs_and_is_bound_as_the_account_that_the_role_trusts(
    rendered: Mapping[tuple[str, str], list[Document]], find: Find, environment: str
) -> None:
    folder = "platform/image-updater"
    pod = find(folder, environment, "Deployment", "argocd-image-updater-controller")["spec"]["template"][
        "spec"
    ]
    assert pod["serviceAccountName"] == "argocd-image-updater"
    account = find(folder, environment, "ServiceAccount", "argocd-image-updater")
    where = wiring(environment)
    assert account["metadata"]["annotations"]["eks.amazonaws.com/role-arn"] == where.role_arn(
        where.role_image_updater
    )
    subjects = {
        subject["name"]
        for document in rendered[folder, environment]
        if document["kind"] in ("RoleBinding", "ClusterRoleBinding")
        for subject in document["subjects"]
        if subject["namespace"] == "argocd"
    }
    assert subjects == {"argocd-image-updater"}


ACCOUNTS = {
    "account-to-access-secrets": "role_secrets",
    "account-for-db-migrator": "role_db_migrator",
    "account-for-external-dns": "role_external_dns",
    "argocd-image-updater": "role_image_updater",
}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_accounts_name_the_roles_of_the_wiring_file(
    rendered: Mapping[tuple[str, str], list[Document]], environment: str
) -> None:
    where = wiring(environment)
    found = {
        document["metadata"]["name"]: document["metadata"]["annotations"]["eks.amazonaws.com/role-arn"]
        for (_, its_environment), documents in rendered.items()
        for document in documents
        if its_environment == environment
        and document["kind"] == "ServiceAccount"
        and "eks.amazonaws.com/role-arn" in document["metadata"].get("annotations", {})
    }
    assert found == {name: where.role_arn(getattr(where, field)) for name, field in ACCOUNTS.items()}


def test_the_load_balancer_controller_knows_cluster_vpc_and_role(find: Find) -> None:
    where = wiring("production")
    values = find("apps", "production", "Application", "aws-load-balancer-controller")["spec"]["source"][
        "helm"
    ]["valuesObject"]
    assert (values["clusterName"], values["region"]) == (where.cluster_name, where.region)
    assert values["vpcTags"] == {"Name": where.vpc_name}
    assert values["defaultTags"] == {"slipway:environment": "production"}
    assert values["serviceAccount"] == {
        "name": "aws-load-balancer-controller",
        "annotations": {"eks.amazonaws.com/role-arn": where.role_arn(where.role_load_balancer_controller)},
    }


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_one_host_from_ingress_to_zone(find: Find, environment: str) -> None:
    where = wiring(environment)
    spec = find("main", environment, "Ingress", "main")["spec"]
    assert [rule["host"] for rule in spec["rules"]] == [where.host]
    assert [entry["hosts"] for entry in spec["tls"]] == [[where.host]]
    assert where.host.endswith(f".{where.domain}")
    arguments = find("platform/external-dns", environment, "Deployment", "external-dns")["spec"]["template"][
        "spec"
    ]["containers"][0]["args"]
    assert f"--domain-filter={where.domain}" in arguments
    assert f"--txt-owner-id={where.cluster_name}" in arguments
    assert "--policy=sync" in arguments
    assert "--registry=txt" in arguments


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_way_from_ingress_to_container(find: Find, environment: str) -> None:
    ingress, service = (
        find("main", environment, "Ingress", "main"),
        find("main", environment, "Service", "main"),
    )
    (path,) = ingress["spec"]["rules"][0]["http"]["paths"]
    (port,) = service["spec"]["ports"]
    assert path["backend"]["service"] == {"name": "main", "port": {"name": port["name"]}}
    # To pods, so the Service is a plain one.
    assert ingress["metadata"]["annotations"]["alb.ingress.kubernetes.io/target-type"] == "ip"
    assert service["spec"].get("type", "ClusterIP") == "ClusterIP"
    pod = find("main", environment, "Deployment", "main")["spec"]["template"]["spec"]
    (web,) = [each for each in pod["containers"] if each["name"] == "web"]
    assert [each["name"] for each in web["ports"]] == [port["targetPort"]]
    assert (
        web["readinessProbe"]["httpGet"]["path"]
        == ingress["metadata"]["annotations"]["alb.ingress.kubernetes.io/healthcheck-path"]
    )


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_pods_answer_for_longer_than_the_edge_sends(find: Find, environment: str) -> None:
    pod = find("main", environment, "Deployment", "main")["spec"]["template"]["spec"]
    app, web = ({c["name"]: c for c in pod["containers"]}[name] for name in ("app", "web"))
    web_seconds = web["lifecycle"]["preStop"]["sleep"]["seconds"]
    drain = {entry["name"]: entry.get("value") for entry in app["env"]}.get("DRAIN_SECONDS") or "8"
    assert web_seconds < float(drain) < pod["terminationGracePeriodSeconds"]
    if environment == "production":
        attributes = find("main", environment, "Ingress", "main")["metadata"]["annotations"][
            "alb.ingress.kubernetes.io/target-group-attributes"
        ]
        assert int(attributes.rpartition("=")[2]) < web_seconds
