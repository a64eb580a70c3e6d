"""Measure `nox -s validate`: `nox -s bench_validate`.

The whole repository, warm and after one line changed; policies on generated trees of three sizes; schemas and policies
together on 2,000 documents; and other programs on the same renderings, in the same run, which are built and installed
first where they are missing (tests/bench/others.py). Writes tests/bench/results/validate.json.
"""

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ci import settings, shell
from ci.settings import ROOT
from ci.validate import kubeconform, rendering, schemas, tree
from ci.validate.run import PARTS, validate
from policies import engine
from policies.model.system import System
from policies.sources import Sources
from tests.bench import others as other_programs
from tests.bench.generated import OBJECTS
from tests.bench.generated import tree as generated
from tests.bench.machine import RESULTS, described

RUNS = 5
SIZES = (100, 300, 1000)
"""Applications, of ten objects each."""
TODAY = datetime.now(UTC).date()
REGO = """\
package main

import rego.v1

deny contains "no replicas" if {
    input.kind == "Deployment"
    not input.spec.replicas
}
"""
KYVERNO = """\
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: replicas}
spec:
  rules:
  - name: replicas
    match: {any: [{resources: {kinds: [Deployment]}}]}
    validate: {message: no replicas, pattern: {spec: {replicas: ">0"}}}
"""
OTHERS: dict[str, Callable[[Path, Path], list[str]]] = {
    "kube-linter": lambda folder, _: ["kube-linter", "lint", str(folder)],
    "conftest": lambda folder, rules: ["conftest", "test", "--policy", str(rules / "rego"), str(folder)],
    "kyverno": lambda folder, rules: [
        "kyverno",
        "apply",
        str(rules / "kyverno.yaml"),
        "--resource",
        str(folder),
    ],
    "checkov": lambda folder, _: [
        "checkov",
        "--quiet",
        "--compact",
        "--framework",
        "kubernetes",
        "-d",
        str(folder),
    ],
    "zizmor": lambda _, __: ["zizmor", "--offline", "--no-exit-codes", str(ROOT / ".github/workflows")],
}
"""The command of each, for the folder of renderings and the folder of REGO and KYVERNO: one small rule, the least they do."""


def main() -> None:
    """Measure, print and write."""
    if len(sys.argv) == 3 and sys.argv[1] == "--size":
        print(json.dumps(size(int(sys.argv[2]))))
        return
    found: dict[str, Any] = {
        **described(),
        "load of the machine before": [round(each, 1) for each in os.getloadavg()],
        "whole repository": repository(),
        "policies by size": [in_process_of_its_own(number) for number in SIZES],
        "schemas and policies on 2,000 documents": two_thousand(),
        "other programs on the repository's renderings, seconds": others(),
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "validate.json").write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))


def repository() -> dict[str, Any]:
    """Seconds as a process, warm; and with one manifest changed each time."""
    configuration = settings.load()
    command = [sys.executable, "-m", "ci.validate"]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    warm = [
        _seconds(lambda: subprocess.run(command, cwd=ROOT, capture_output=True, check=True))
        for _ in range(RUNS)
    ]
    shares = validate(configuration, ROOT, TODAY).timings
    with tempfile.TemporaryDirectory() as folder:
        ignored = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache", "artifacts")
        copy = Path(shutil.copytree(ROOT, Path(folder) / "tree", ignore=ignored))
        validate(configuration, copy, TODAY)
        deployment, changed = copy / "gitops/main/base/deployment.yaml", []
        for number in range(RUNS):
            deployment.write_text(deployment.read_text() + f"# {number} {time.time()}\n")
            changed.append(_seconds(lambda: validate(configuration, copy, TODAY)))
    return {
        "warm, seconds": _spread(warm),
        "one line changed, seconds": _spread(changed),
        "shares when warm, seconds": {each.part: round(each.seconds, 3) for each in shares},
        "parts": list(PARTS),
    }


def in_process_of_its_own(number: int) -> dict[str, Any]:
    """One size in a fresh process, so that its memory is its own."""
    done = shell.run(sys.executable, "-m", "tests.bench.validate", "--size", str(number), cwd=ROOT)
    found: dict[str, Any] = json.loads(done.out)
    return found


def size(number: int) -> dict[str, Any]:
    """All policies on `number` Applications: sources read and parsed, the model built, every rule asked."""
    files, rendered = generated(number)
    started, began = time.perf_counter(), time.process_time()
    findings = engine.check(System(Sources(dict(files)), rendered), TODAY)
    seconds, own = time.perf_counter() - started, time.process_time() - began
    documents = sum(len(found) for found in rendered["local"].values())
    assert not findings, findings[0]
    return {
        "applications": number,
        "documents": documents,
        "source files": len(files),
        "seconds": round(seconds, 2),
        "of one core, seconds": round(own, 2),
        "documents per second": round(documents / seconds),
        "documents per second of one core": round(documents / own),
        "peak memory, MB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def two_thousand() -> dict[str, Any]:
    """kubeconform and policies on 2,000 documents, one after the other, nothing kept."""
    configuration = settings.load()
    files, rendered = generated(2000 // OBJECTS)
    del rendered["local"]["gitops/bootstrap/overlays/local"]
    documents = [each for found in rendered["local"].values() for each in found]
    kinds = {(str(each["apiVersion"]), str(each["kind"])) for each in documents}
    location = schemas.folder(configuration, [], kinds)
    given = tree.Tree(configuration, ROOT, dict(files))
    checked = _seconds(lambda: kubeconform.run(given, rendered, location))
    asked = _seconds(lambda: engine.check(System(Sources(dict(files)), rendered), TODAY))
    return {
        "documents": len(documents),
        "kubeconform, seconds": round(checked, 2),
        "policies, seconds": round(asked, 2),
        "both, seconds": round(checked + asked, 2),
    }


def others() -> dict[str, Any]:
    """Each program alone on what the repository renders; kubeconform with our schemas."""
    configuration = settings.load()
    programs = {**other_programs.ensure(configuration), "zizmor": Path(sys.executable).with_name("zizmor")}
    given = tree.load(configuration, ROOT)
    with ThreadPoolExecutor(4) as pool:
        rendered, _, _ = rendering.everything(given, pool)
    documents = [each for folders in rendered.values() for found in folders.values() for each in found]
    definitions = [each for each in documents if each["kind"] == "CustomResourceDefinition"]
    kinds = {(str(each["apiVersion"]), str(each["kind"])) for each in documents}
    location = schemas.folder(configuration, definitions, kinds)
    found: dict[str, Any] = {
        "documents": len(documents),
        "kubeconform": _spread(
            [_seconds(lambda: kubeconform.run(given, rendered, location)) for _ in range(RUNS)]
        ),
        "ours: kubeconform and policies": _spread(
            [
                _seconds(lambda: kubeconform.run(given, rendered, location))
                + _seconds(lambda: engine.check(tree.system(given, rendered), TODAY))
                for _ in range(RUNS)
            ]
        ),
    }
    with tempfile.TemporaryDirectory() as name:
        folder, rules = Path(name) / "documents", Path(name) / "rules"
        (rules / "rego").mkdir(parents=True)
        (rules / "rego" / "main.rego").write_text(REGO)
        (rules / "kyverno.yaml").write_text(KYVERNO)
        for environment, folders in rendered.items():
            (folder / environment).mkdir(parents=True)
            for number, document in enumerate(each for found in folders.values() for each in found):
                (folder / environment / f"{number}.yaml").write_text(json.dumps(document))
        for program, command in OTHERS.items():
            # One environment after the other: both have objects of the same name, on which kyverno panics.
            commands = [command(each, rules) for each in sorted(folder.iterdir())]
            found[program] = _other(programs[program], commands[:1] if program == "zizmor" else commands)
    return found


def _other(program: Path, commands: list[list[str]]) -> dict[str, float]:
    """Seconds of one program; what it finds is not the question, that it worked is: no code above 1."""

    def run() -> None:
        for command in commands:
            done = subprocess.run([program, *command[1:]], capture_output=True, text=True, check=False)
            assert done.returncode in (0, 1), f"{program}: {done.stderr[-500:] or done.stdout[-500:]}"

    return _spread([_seconds(run) for _ in range(RUNS)])


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _spread(seconds: list[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(seconds), 2),
        "worst": round(max(seconds), 2),
        "runs": len(seconds),
    }


if __name__ == "__main__":
    main()
