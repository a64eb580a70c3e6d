"""Local differs from production by a list, not by a fork."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ci.render import Document
from tests.unit.gitops.conftest import FOLDERS

ARGOCD_SERVER = "bootstrap Service/argocd-server spec"
WEBHOOK = "platform/image-updater Service/argocd-image-updater-webhook spec"
CONTROLLER = "platform/image-updater Deployment/argocd-image-updater-controller spec.template.spec"
FILES = "platform/image-updater ConfigMap/image-updater-files"
UPDATER = "platform/image-updater ImageUpdater/main spec.writeBackConfig.gitConfig.writeBackTarget"

ALLOWED = {
    # NodePorts, for what calls from outside the cluster.
    f"{ARGOCD_SERVER}.type",
    f"{ARGOCD_SERVER}.ports.0.nodePort",
    f"{WEBHOOK}.type",
    f"{WEBHOOK}.ports.0.nodePort",
    "main Service/main spec.type",
    "main Service/main spec.ports.0.nodePort",
    # Plain HTTP for the two webhooks, inside one machine.
    "bootstrap ConfigMap/argocd-cmd-params-cm data.server.insecure",
    f"{CONTROLLER}.containers.0.args.6",
    # The local certificate authority, and the registry's address.
    f"{CONTROLLER}.containers.0.env.0",
    f"{CONTROLLER}.containers.0.volumeMounts.0",
    f"{CONTROLLER}.volumes.0",
    f"{FILES} data.registries.conf",
    # The account.
    "main Deployment/main spec.template.spec.containers.0.image",
    "main Deployment/main spec.template.spec.containers.1.image",
    "main Job/migration spec.template.spec.containers.0.image",
    "platform/image-updater ImageUpdater/main spec.applicationRefs.0.images.0.imageName",
    # Where the overlays are.
    "bootstrap Application/root spec.source.path",
    "apps Application/main spec.source.path",
    "apps Application/main-prerequisites spec.source.path",
    "apps Application/argocd-image-updater spec.source.path",
    UPDATER,
}


def plain(documents: list[Document]) -> dict[str, Document]:
    """Kind and name to document, without the product's version and the hash in generated names."""
    text = re.sub(r"(image-updater-files)-[a-z0-9]{10}", r"\1", json.dumps(documents))
    text = re.sub(r"(/eks-[a-z]+):v\d+\.\d+\.\d+", r"\1", text)
    return {f"{document['kind']}/{document['metadata']['name']}": document for document in json.loads(text)}


def differences(path: str, left: Any, right: Any) -> Iterator[str]:
    """Paths of the fields in which two documents differ."""
    if isinstance(left, dict) and isinstance(right, dict):
        for key in sorted(left.keys() | right.keys()):
            if key not in left or key not in right:
                yield f"{path}{key}"
            else:
                yield from differences(f"{path}{key}.", left[key], right[key])
    elif isinstance(left, list) and isinstance(right, list) and len(left) != len(right):
        yield from (f"{path}{number}" for number, item in enumerate(left) if item not in right)
        yield from (f"{path}-{number}" for number, item in enumerate(right) if item not in left)
    elif isinstance(left, list) and isinstance(right, list):
        for number, (one, other) in enumerate(zip(left, right, strict=True)):
            yield from differences(f"{path}{number}.", one, other)
    elif left != right:
        yield path.removesuffix(".")


def test_local_differs_only_where_listed(rendered: Mapping[tuple[str, str], list[Document]]) -> None:
    found = set()
    for folder in FOLDERS:
        local, production = plain(rendered[folder, "local"]), plain(rendered[folder, "production"])
        assert local.keys() == production.keys()
        for key, document in local.items():
            found |= set(differences(f"{folder} {key} ", document, production[key]))
    assert found == ALLOWED
