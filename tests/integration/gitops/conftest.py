"""One API server for the folder, and everything that the overlays render."""

from collections.abc import Iterator, Mapping

import pytest

from ci import render, settings
from ci.render import Document
from tests.integration.gitops.apiserver import ApiServer, running
from tests.unit.gitops.conftest import ENVIRONMENTS, everything

Rendered = Mapping[tuple[str, str], list[Document]]


@pytest.fixture(scope="session")
def configuration() -> settings.Settings:
    return settings.load()


@pytest.fixture(scope="session")
def rendered(configuration: settings.Settings) -> Rendered:
    return everything(configuration, render.mirrors(configuration))


@pytest.fixture(scope="session")
def api(
    configuration: settings.Settings, rendered: Rendered, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ApiServer]:
    """The server, with every definition and namespace of both environments."""
    with running(configuration, tmp_path_factory.mktemp("apiserver")) as server:
        documents = [
            document
            for environment in ENVIRONMENTS
            for (_, its_environment), found in rendered.items()
            if its_environment == environment
            for document in found
        ]
        for kind in ("Namespace", "CustomResourceDefinition"):
            for document in documents:
                if document["kind"] == kind:
                    answer = server.apply(document)
                    assert answer.status_code in (200, 201), answer.text
        restricted = {
            "pod-security.kubernetes.io/enforce": "restricted",
            "pod-security.kubernetes.io/enforce-version": "v1.36",
        }
        named = {"name": "external-secrets", "labels": restricted}  # by Argo CD, from the Application
        server.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": named})
        yield server
