"""Local differs from production by a list, not by a fork."""

import json
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

import pytest
import yaml

from ci.render import GITOPS, Document
from tests.unit.gitops.conftest import ENVIRONMENTS

LIST = GITOPS / "local-differences.yaml"

KEYS = ("name", "namePattern", "alias", "mountPath", "kind")
"""What tells the elements of a list apart, in the order of trying."""


def plain(documents: list[Document]) -> dict[str, Document]:
    """Kind and name to document, without the product's version and the hash in generated names."""
    text = re.sub(r"((?:image-updater|traefik)-files)-[a-z0-9]{10}", r"\1", json.dumps(documents))
    text = re.sub(r"(/eks-[a-z]+):v\d+\.\d+\.\d+", r"\1", text)
    return {f"{document['kind']}/{document['metadata']['name']}": document for document in json.loads(text)}


def keyed(items: list[Any]) -> dict[str, Any]:
    """The elements of a list by their name, else by their number."""
    for key in KEYS:
        names = [item[key] for item in items if isinstance(item, dict) and key in item]
        if len(names) == len(items) == len(set(names)):
            return {f"[{name}]": item for name, item in zip(names, items, strict=True)}
    if all(isinstance(item, str) for item in items):
        return {f"[{item.partition('=')[0]}]": item for item in items}  # arguments
    return {f"[{number}]": item for number, item in enumerate(items)}


def differences(path: str, left: Any, right: Any) -> Iterator[str]:
    """Paths of the fields in which two documents differ."""
    if isinstance(left, list) and isinstance(right, list):
        left, right = keyed(left), keyed(right)
    if isinstance(left, dict) and isinstance(right, dict):
        for key in sorted(left.keys() | right.keys()):
            where = f"{path}{key}" if key.startswith("[") else f"{path}.{key}"
            if key not in left or key not in right:
                yield where
            else:
                yield from differences(where, left[key], right[key])
    elif left != right:
        yield path


def found_differences(rendered: Mapping[tuple[str, str], list[Document]]) -> set[str]:
    found = set()
    for folder in {folder for folder, _ in rendered}:
        local = plain(rendered.get((folder, "local"), []))
        production = plain(rendered.get((folder, "production"), []))
        for key in local.keys() | production.keys():
            if key not in local or key not in production:
                found.add(f"{folder} {key}")
            else:
                found |= set(differences(f"{folder} {key} ", local[key], production[key]))
    return {path.replace(" .", " ") for path in found}


def listed() -> dict[str, str]:
    """Pattern to reason, of the whole list."""
    entries = yaml.safe_load(LIST.read_text())
    return {pattern: entry["why"] for entry in entries for pattern in entry["fields"]}


def matches(pattern: str, path: str) -> bool:
    """Whether `*` in the pattern, and nothing else, fits the path."""
    return fnmatchcase(path, re.sub(r"[\[?]", lambda found: f"[{found[0]}]", pattern))


def test_local_differs_only_in_what_is_listed(rendered: Mapping[tuple[str, str], list[Document]]) -> None:
    patterns = listed()
    unlisted = {
        path for path in found_differences(rendered) if not any(matches(each, path) for each in patterns)
    }
    assert unlisted == set()


def test_nothing_is_listed_that_does_not_differ(rendered: Mapping[tuple[str, str], list[Document]]) -> None:
    found = found_differences(rendered)
    unused = {pattern for pattern in listed() if not any(matches(pattern, path) for path in found)}
    assert unused == set()


def test_every_entry_has_a_reason_and_no_field_is_listed_twice() -> None:
    entries = yaml.safe_load(LIST.read_text())
    assert all(set(entry) == {"why", "fields"} and len(entry["why"]) > 20 for entry in entries)
    fields = [field for entry in entries for field in entry["fields"]]
    assert len(fields) == len(set(fields))


def test_a_list_is_compared_by_names_and_not_by_places() -> None:
    left = {"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}
    right = {"env": [{"name": "B", "value": "3"}, {"name": "A", "value": "1"}]}
    assert list(differences("x", left, right)) == ["x.env[B].value"]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_both_environments_install_the_same_applications_but_for_the_edge(
    rendered: Mapping[tuple[str, str], list[Document]], environment: str
) -> None:
    edge = {"local": "traefik", "production": "aws-load-balancer-controller"}[environment]
    names = {document["metadata"]["name"] for document in rendered["apps", environment]}
    assert names == {
        "external-secrets-crds", "external-secrets", "main-prerequisites", "main", "external-dns",
        "argocd-image-updater", edge,
    }  # fmt: skip
