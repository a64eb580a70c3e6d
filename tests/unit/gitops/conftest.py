"""Every overlay, rendered once by the real kustomize against the pinned upstream."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from ci import render, settings
from ci.render import Document

ENVIRONMENTS = ("local", "production")
FOLDERS = (
    "bootstrap", "apps", "platform/main-prerequisites", "main", "platform/external-dns",
    "platform/image-updater",
)  # fmt: skip
"""Folders with an overlay for each environment."""

LOCAL_FOLDERS = ("platform/traefik",)
UPSTREAM = ("external-secrets-crds", "external-secrets")
"""Applications that take upstream's repository as it is."""

ELSEWHERE = ("aws-load-balancer-controller",)
"""Applications whose chart comes from a chart repository, which no test asks."""

Find = Callable[[str, str, str, str], Document]


@pytest.fixture(scope="session")
def configuration() -> settings.Settings:
    return settings.load()


@pytest.fixture(scope="session")
def upstream(configuration: settings.Settings) -> Mapping[str, str]:
    return render.mirrors(configuration)


@pytest.fixture(scope="session")
def rendered(
    configuration: settings.Settings, upstream: Mapping[str, str]
) -> Mapping[tuple[str, str], list[Document]]:
    return everything(configuration, upstream)


def everything(
    configuration: settings.Settings, upstream: Mapping[str, str]
) -> dict[tuple[str, str], list[Document]]:
    """All documents by (folder, environment); upstream's by (Application, environment)."""
    folders = [(folder, environment) for folder in FOLDERS for environment in ENVIRONMENTS]
    folders += [(folder, "local") for folder in LOCAL_FOLDERS]
    found = {
        (folder, environment): render.overlay(
            configuration, render.GITOPS / folder / "overlays" / environment, upstream
        )
        for folder, environment in folders
    }
    for environment in ENVIRONMENTS:
        for application in found["apps", environment]:
            name = application["metadata"]["name"]
            if name in UPSTREAM:
                found[name, environment] = render.upstream(configuration, application)
    return found


@pytest.fixture(scope="session")
def find(rendered: Mapping[tuple[str, str], list[Document]]) -> Find:
    """Returns the one document of a kind and name that an overlay renders."""

    def one(folder: str, environment: str, kind: str, name: str) -> Document:
        (document,) = [
            document
            for document in rendered[folder, environment]
            if (document["kind"], document["metadata"]["name"]) == (kind, name)
        ]
        return document

    return one


@pytest.fixture(scope="session")
def applications(rendered: Mapping[tuple[str, str], list[Document]]) -> list[Document]:
    """All Applications of both environments, root included."""
    return [
        document
        for (folder, _), documents in rendered.items()
        if folder in ("bootstrap", "apps")
        for document in documents
        if document["kind"] == "Application"
    ]


def folder_of(application: Document) -> tuple[str, str] | None:
    """The key in `rendered` of what an Application of this repository installs, else None."""
    if application["metadata"]["name"] in (*UPSTREAM, *ELSEWHERE):
        return None
    path = Path(application["spec"]["source"]["path"]).relative_to("gitops")
    return path.parent.parent.as_posix(), path.name
