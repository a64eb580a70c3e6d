"""JSON schemas for every kind: the core's from kubernetes-validate, the others' from the pinned definitions."""

import json
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

from ci.problem import Problem
from ci.settings import Settings
from ci.supply import store
from ci.supply.catalogue import load as catalogue
from policies.model.shape import dig, mapping, sequence

LOCATION = "{{ .ResourceKind }}{{ .KindSuffix }}.json"
"""How kubeconform names a kind's file: the first label of the group, then the version."""
_PARTS = "$defs"
_GENERATOR = "4"
"""Part of the key: raise it when this module makes something else of the same input."""


def folder(
    settings: Settings, definitions: Iterable[Mapping[str, Any]], kinds: Iterable[tuple[str, str]]
) -> Path:
    """Return a folder with the schemas of `kinds`, (apiVersion, kind), as far as there are any.

    `definitions` are the rendered CRDs. Each file stands alone, with the parts that it refers to: the core's definitions
    are 1.6 MB, which would else be read again for every kind.
    """
    custom = {name: schema for each in definitions for name, schema in _custom(each)}
    wanted = sorted({file_name(*kind) for kind in kinds})
    key = store.digest(*versions(), json.dumps(custom, sort_keys=True), *wanted)
    target = settings.cache / "validate" / f"schemas-{key}"

    def write(draft: Path) -> None:
        for name, schema in ({**dict(_core(wanted)), **custom}).items():
            (draft / name).write_text(json.dumps(schema))

    return store.once(target, write)


def versions() -> tuple[str, ...]:
    """What the schemas depend on beside the definitions: this module, Kubernetes, and the package."""
    return _GENERATOR, _kubernetes(), version("kubernetes-validate")


def _kubernetes() -> str:
    """The pinned Kubernetes as the package names it: its schemas are those of the first patch release."""
    return catalogue().get("kubernetes").version.rpartition(".")[0] + ".0"


def file_name(api_version: str, kind: str) -> str:
    """The name that kubeconform looks for, by LOCATION."""
    group, _, number = api_version.rpartition("/")
    label = f"-{group.partition('.')[0]}" if group else ""
    return f"{kind}{label}-{number}.json".lower()


def _core(wanted: Iterable[str]) -> Iterator[tuple[str, Any]]:
    package, kubernetes = Path(str(files("kubernetes_validate"))), _kubernetes()
    source = package / "kubernetes-json-schema" / f"{kubernetes}-local-strict"
    if not source.is_dir():
        raise Problem(
            f"kubernetes-validate has no schemas for Kubernetes {kubernetes}",
            fix="lock a newer kubernetes-validate (nox -s lock), or pin an older Kubernetes in the catalogue",
        )
    parts = json.loads((source / "_definitions.json").read_text())[_PARTS]
    for name in wanted:
        path = source / name
        if path.exists():
            schema = json.loads(path.read_text())
            schema.pop("$id", None)
            used: dict[str, Any] = {}
            _collect(schema, parts, used)
            yield name, _local({**schema, _PARTS: used})


def _collect(schema: Any, parts: Mapping[str, Any], used: dict[str, Any]) -> None:
    """Add to `used` what a schema refers to, and what that refers to."""
    if isinstance(schema, list):
        for item in schema:
            _collect(item, parts, used)
    if not isinstance(schema, Mapping):
        return
    reference = schema.get("$ref")
    if isinstance(reference, str):
        name = reference.rpartition("/")[2]
        if name not in used:
            used[name] = parts[name]
            _collect(parts[name], parts, used)
    for item in schema.values():
        _collect(item, parts, used)


def _local(schema: Any) -> Any:
    """The schema with references into itself, where upstream's lead to a file on a server."""
    if isinstance(schema, list):
        return [_local(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    return {
        key: f"#/{_PARTS}/{value.rpartition('/')[2]}"
        if key == "$ref" and isinstance(value, str)
        else _local(value)
        for key, value in schema.items()
    }


def _custom(definition: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    group, kind = str(dig(definition, "spec", "group")), str(dig(definition, "spec", "names", "kind"))
    for each in map(mapping, sequence(dig(definition, "spec", "versions"))):
        schema = dig(each, "schema", "openAPIV3Schema")
        if schema is not None:
            yield file_name(f"{group}/{each.get('name')}", kind), _strict(schema, top=True)


def _strict(schema: Any, top: bool = False) -> Any:
    """An OpenAPI schema of a CRD as a JSON schema that refuses unknown fields, as the API server prunes them."""
    if not isinstance(schema, Mapping):
        return schema
    found = {key: value for key, value in schema.items() if not key.startswith("x-") and key != "description"}
    if schema.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    if "properties" in found:
        found["properties"] = {name: _strict(each) for name, each in mapping(found["properties"]).items()}
        if not schema.get("x-kubernetes-preserve-unknown-fields"):
            found.setdefault("additionalProperties", False)
    for key in {"items", "additionalProperties", "not"} & found.keys():
        found[key] = _strict(found[key])
    for key in {"allOf", "anyOf", "oneOf"} & found.keys():
        found[key] = [_partial(part) for part in sequence(found[key])]
    if schema.get("nullable") and isinstance(found.get("type"), str):
        found["type"] = [found["type"], "null"]
    if top:
        found["properties"] = {
            "apiVersion": {},
            "kind": {},
            "metadata": {},
            **mapping(found.get("properties")),
        }
    return found


def _partial(schema: Any) -> Any:
    """A branch of allOf and its kin constrains; what fields there are, the whole says."""
    return {key: value for key, value in mapping(schema).items() if not key.startswith("x-")}
