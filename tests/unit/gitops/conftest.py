"""Every overlay, rendered once by the real kustomize against the pinned upstream."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from ci import render, settings
from ci.render import Document

ENVIRONMENTS = ("local", "production")
FOLDERS = ("bootstrap", "apps", "platform/main-prerequisites", "main", "platform/image-updater")

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
    return {
        (folder, environment): render.overlay(
            configuration, render.GITOPS / folder / "overlays" / environment, upstream
        )
        for folder in FOLDERS
        for environment in ENVIRONMENTS
    }


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


def folder_of(application: Document) -> tuple[str, str]:
    """The key in `rendered` of what an Application installs."""
    path = Path(application["spec"]["source"]["path"]).relative_to("gitops")
    return path.parent.parent.as_posix(), path.name
