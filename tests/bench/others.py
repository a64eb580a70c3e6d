"""Other programs that look at manifests, to measure beside ours: built and installed into CACHE/bench, once.

Go programs are built from their module, in a copy, so that upstream's own go.mod with its replacements and its go.sum hold.
"""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from ci import settings, shell
from ci.progress import step
from ci.settings import Settings
from ci.supply import golang, store


@dataclass(frozen=True, slots=True)
class GoProgram:
    """A program in a Go module; `at` is where the module is, if not under its name."""

    module: str
    version: str
    package: str
    at: str = ""


GO = {
    "kube-linter": GoProgram(
        "golang.stackrox.io/kube-linter", "v0.8.3", "./cmd/kube-linter", at="github.com/stackrox/kube-linter"
    ),
    "conftest": GoProgram("github.com/open-policy-agent/conftest", "v0.71.1", "."),
    "kyverno": GoProgram("github.com/kyverno/kyverno", "v1.19.1", "./cmd/cli/kubectl-kyverno"),
}
PYTHON = {"checkov": "checkov==3.3.30"}


def ensure(configuration: Settings) -> dict[str, Path]:
    """Have every program; return its path by name."""
    return {
        **{name: _built(configuration, name, each) / name for name, each in GO.items()},
        **{name: _installed(configuration, each) / "bin" / name for name, each in PYTHON.items()},
    }


def _built(configuration: Settings, name: str, program: GoProgram) -> Path:
    def make(draft: Path) -> None:
        with step(f"build {name} {program.version}"), store.scratch(configuration.cache) as folder:
            golang.copy(_source(configuration, program, folder), folder / "source")
            _go(
                configuration,
                folder / "source",
                "build",
                "-trimpath",
                "-o",
                str(draft / name),
                program.package,
            )

    return store.once(configuration.cache / "bench" / f"{name}-{program.version}", make)


def _source(configuration: Settings, program: GoProgram, folder: Path) -> Path:
    lines = ["module bench", "go 1.24", f"require {program.module} {program.version}"]
    if program.at:
        lines.append(f"replace {program.module} => {program.at} {program.version}")
    (folder / "go.mod").write_text("\n".join(lines) + "\n")
    _go(configuration, folder, "mod", "download", program.module)
    listed = _go(configuration, folder, "list", "-m", "-json", program.module)
    return Path(json.loads(listed.out)["Dir"])


def _go(configuration: Settings, folder: Path, *arguments: str) -> shell.Result:
    root = golang.toolchain(configuration)
    env = golang.environment(configuration, root) | {"GOFLAGS": "-mod=mod"}
    return shell.run(str(root / "bin" / "go"), *arguments, cwd=folder, env=env, timeout=1800)


def _installed(configuration: Settings, requirement: str) -> Path:
    def make(draft: Path) -> None:
        with step(f"install {requirement}"):
            shell.run(sys.executable, "-m", "venv", str(draft))
            pip = (str(draft / "bin" / "python"), "-m", "pip", "install", "--quiet", requirement)
            shell.run(*pip, env={"PIP_DISABLE_PIP_VERSION_CHECK": "1"}, timeout=900)
            _move(draft, target)

    target = configuration.cache / "bench" / requirement.replace("==", "-")
    return store.once(target, make)


def _move(draft: Path, target: Path) -> None:
    """Write the folder's final name into the scripts: an environment knows where it was made."""
    for script in (draft / "bin").iterdir():
        if script.is_file() and not script.is_symlink() and script.read_bytes()[:2] == b"#!":
            script.write_text(script.read_text().replace(str(draft), str(target)))


if __name__ == "__main__":
    for name, path in ensure(settings.load()).items():
        assert os.access(path, os.X_OK), path
        print(f"{name}: {path}")
