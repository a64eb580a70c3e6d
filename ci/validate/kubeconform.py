"""kubeconform: every rendered object against its kind's schema. Unknown kinds are errors."""

import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ci import shell, supply
from ci.validate import schemas
from ci.validate.tree import Rendered, Tree
from policies.finding import Finding
from policies.model.system import System

PART = "kubeconform"
_WHY = "The API server refuses the object, or drops the field without a word."
_FIX = "Correct the field; the kind's schema is that of the pinned Kubernetes and definitions."
_SECONDS = 120.0
_FAULT = re.compile(r"- at '([^']*)': (.*?)(?= - at '|$)")


def check(given: Tree, rendered: Rendered, system: System) -> tuple[list[Finding], bool]:
    """Return what does not fit, at the place of its source."""

    def ask() -> list[dict[str, Any]]:
        documents = [each for folders in rendered.values() for found in folders.values() for each in found]
        definitions = [each for each in documents if each.get("kind") == "CustomResourceDefinition"]
        kinds = {(str(each.get("apiVersion")), str(each.get("kind"))) for each in documents}
        return run(given, rendered, schemas.folder(given.settings, definitions, kinds))

    results, kept = given.kept(PART, [given.rendered, *schemas.versions()], ask)
    return list(_findings(results, system)), kept


def run(given: Tree, rendered: Rendered, location: Path) -> list[dict[str, Any]]:
    """Run the program on all documents; return what it says about those that do not fit."""
    program = supply.tool(given.settings, "kubeconform")
    with tempfile.TemporaryDirectory(prefix="slipway-kubeconform-") as folder:
        for environment, folders in rendered.items():
            for path, documents in folders.items():
                name = f"{environment}--{path.replace('/', '--')}.yaml"
                (Path(folder) / name).write_text("\n---\n".join(map(json.dumps, documents)))
        done = shell.run(
            str(program), "-strict", "-output", "json", "-n", "4",
            "-schema-location", f"{location}/{schemas.LOCATION}", folder,
            ok=(0, 1), timeout=_SECONDS,
        )  # fmt: skip
    resources: list[dict[str, Any]] = json.loads(done.out)["resources"] if done.out.strip() else []
    if done.code and not resources:
        raise shell.CommandFailed([str(program)], done)
    return [{**each, "filename": Path(each["filename"]).name} for each in resources]


def _findings(results: list[dict[str, Any]], system: System) -> Iterator[Finding]:
    for each in results:
        environment, _, path = each["filename"].removesuffix(".yaml").partition("--")
        path = path.replace("--", "/")
        for where, message in _faults(each):
            for found in (known for known in system.environments if known.name == environment):
                for target in found.objects_of(path):
                    if (target.kind, target.name) == (each["kind"], each["name"]):
                        text = f"{target.label}: {message}"
                        yield Finding(target.at(*where), "SCHEMA", text, _WHY, _FIX, PART)


def _faults(result: dict[str, Any]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Path and fact of each fault; the program tells them in one line, as `at '/spec/port': got string, ...`."""
    said = re.sub(r"\s+", " ", str(result.get("msg") or "it does not fit its schema"))
    found = [each for each in _FAULT.findall(said) if each[1].strip() != "validation failed"]
    for pointer, message in found:
        parts = (part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/") if part)
        yield tuple(int(part) if part.isdecimal() else part for part in parts), message.strip()
    if not found:
        yield (), said[:300]
