"""The real kubeconform, with schemas made here: fields, unknown kinds, and kinds of the tree's own definitions."""

from typing import Any

import pytest

from ci.validate import kubeconform, tree
from policies.finding import Finding
from tests.unit.ci.validate.conftest import Plant

SERVICE: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "a", "namespace": "main"},
    "spec": {"ports": [{"name": "web", "port": 80}]},
}
DEFINITION: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "things.example.org"},
    "spec": {
        "group": "example.org", "scope": "Namespaced",
        "names": {"kind": "Thing", "plural": "things"},
        "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {
            "type": "object",
            "properties": {"spec": {
                "type": "object", "required": ["size"],
                "properties": {
                    "size": {"type": "integer"}, "port": {"x-kubernetes-int-or-string": True},
                    "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                    "note": {"type": "string", "nullable": True},
                },
            }},
        }}}],
    },
}  # fmt: skip
SOURCE = """\
apiVersion: v1
kind: Service
metadata: {name: a, namespace: main}
spec:
  ports:
  - name: web
    port: 80
"""


def thing(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "example.org/v1", "kind": "Thing", "metadata": {"name": "t"}, "spec": spec}


@pytest.fixture
def ask(plant: Plant) -> Any:
    def asked(*documents: dict[str, Any]) -> list[Finding]:
        given = plant({"gitops/a/kustomization.yaml": "resources: [s.yaml]\n", "gitops/a/s.yaml": SOURCE})
        rendered = {"local": {"gitops/a": list(documents)}}
        given.rendered = repr(documents)
        findings, _ = kubeconform.check(given, rendered, tree.system(given, rendered))
        return findings

    return asked


def test_what_fits_is_silent(ask: Any) -> None:
    whole = thing(size=1, port="web", free={"any": {"thing": 1}}, note=None)
    assert ask(SERVICE, DEFINITION, whole, thing(size=2, port=80)) == []


def test_wrong_type_is_found_at_its_line(ask: Any) -> None:
    wrong = {**SERVICE, "spec": {"ports": [{"name": "web", "port": "eighty"}]}}
    (finding,) = ask(wrong)
    assert (str(finding.position), finding.id, finding.part) == (
        "gitops/a/s.yaml:7:5",
        "SCHEMA",
        "kubeconform",
    )


@pytest.mark.parametrize(
    "document",
    [
        {**SERVICE, "spec": {"port": [80]}},
        {**SERVICE, "apiVersion": "v2"},
        {**SERVICE, "kind": "Servise"},
        thing(size=1),
    ],
    ids=["unknown field", "unknown version", "unknown kind", "kind without definition"],
)
def test_what_the_api_server_does_not_know_is_an_error(ask: Any, document: dict[str, Any]) -> None:
    assert len(ask(document)) == 1


@pytest.mark.parametrize(
    "spec",
    [{"size": "1"}, {}, {"size": 1, "colour": "red"}, {"size": 1, "port": [1]}, {"size": 1, "note": 2}],
)
def test_custom_resources_are_held_to_their_definition(ask: Any, spec: dict[str, Any]) -> None:
    assert ask(DEFINITION, thing(**spec))
