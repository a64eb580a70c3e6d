"""Images built from Debian packages and compiled programs, each from its recipe in images/."""

import os
import re
import shutil
from pathlib import Path

from ci import shell
from ci.problem import Problem
from ci.settings import ROOT, Settings
from ci.supply import enginestore, golang, store, wheels
from ci.supply.catalogue import HERE, Catalogue, Component, load

_DEBIAN = "http://deb.debian.org/debian"
_TRIMMED = ("./var/lib/apt/lists/*", "./var/cache/apt/*", "./usr/share/doc/*", "./usr/share/man/*",
            "./usr/share/locale/*", "./var/log/*")  # fmt: skip
_IGNORED = shutil.ignore_patterns("__pycache__")


def key(component: Component) -> str:
    """Content key of an image: its entry, recipe, programs and base."""
    catalogue = load()
    recipe = HERE / "images" / component.name
    parts: list[str | bytes] = [component.version, str(component.image), repr(component.module_files)]
    if component.wheels:
        parts.append(component.wheels)
    parts.append(catalogue.get("debian").version)
    if component.how == "node":  # half of the node's recipe is that module
        parts.append((HERE / "node.py").read_bytes())
    if recipe.is_dir():
        parts.append(store.folder_digest(recipe))
    parts += [store.folder_digest(ROOT / source) for source in component.sources]
    if component.go is not None:
        parts.append(golang.key(component))
    parts += [golang.key(catalogue.get(name)) for name in component.uses]
    return store.digest(*parts)


def build_debian(settings: Settings, component: Component) -> None:
    """Make the Debian base with debootstrap and import it into the engine."""
    ensure_package("debootstrap")
    assert component.image is not None
    with store.scratch(settings.cache) as folder:
        root, archive = folder / "root", folder / "root.tar"
        shell.run(
            "debootstrap", "--variant=minbase", component.version, str(root), mirror("debian"),
            log=settings.cache / "logs" / "debian.log",
        )  # fmt: skip
        (root / "etc/apt/sources.list").unlink(missing_ok=True)
        (root / "etc/apt/sources.list.d/debian.sources").write_text(_sources(component.version))
        (root / "etc/apt/apt.conf.d/slipway").write_text(
            'Acquire::Retries "5";\nAPT::Install-Recommends "false";\n'
        )
        excludes = [f"--exclude={pattern}" for pattern in _TRIMMED]
        shell.run("tar", "-C", str(root), *excludes, "-cf", str(archive), ".")
        shell.run(
            "docker", "import", "--change", 'CMD ["bash"]',
            "--change", f"LABEL {enginestore.KEY_LABEL}={key(component)}",
            str(archive), component.image,
        )  # fmt: skip


def build_recipe(settings: Settings, component: Component, buildx: Path) -> None:
    """Build images/NAME/Dockerfile with the compiled programs in bin/ and upstream files in module/."""
    assert component.image is not None
    catalogue = load()
    with store.scratch(settings.cache) as context:
        recipe = HERE / "images" / component.name
        shutil.copytree(recipe, context, dirs_exist_ok=True, ignore=_IGNORED)
        for folder in component.sources:
            shutil.copytree(ROOT / folder, context / folder, ignore=_IGNORED)
        if component.wheels:
            wheels.download(recipe / "requirements.lock", component.wheels, context / "wheels")
        for owner in (component.name, *component.uses):
            copy_programs(settings, catalogue, owner, context / "bin")
        if component.module_files:
            module = golang.module_folder(settings, component)
            (context / "module").mkdir()
            for name in component.module_files:
                shutil.copyfile(module / name, context / "module" / Path(name).name)
        buildx_build(settings, buildx, component.name, context, component.image, key(component))


def copy_programs(settings: Settings, catalogue: Catalogue, owner: str, folder: Path) -> None:
    """Copy the compiled programs of component `owner` into `folder`; a single one takes the owner's name."""
    component = catalogue.get(owner)
    if component.go is None:
        return
    folder.mkdir(exist_ok=True)
    for program in golang.build(settings, component).iterdir():
        only = len(component.go.packages) == 1
        shutil.copy(program, folder / (owner if only else program.name))


def buildx_build(
    settings: Settings, buildx: Path, name: str, context: Path, tag: str, key: str, target: str = ""
) -> None:
    """Run one buildx build and load the result into the engine as `tag`."""
    log = settings.cache / "logs" / f"{name}-image.log"
    try:
        shell.run(
            str(buildx), "build", "--builder", "default", "--progress", "plain", "--load",
            "--tag", tag, "--label", f"{enginestore.KEY_LABEL}={key}",
            *(["--target", target] if target else []), str(context), log=log,
        )  # fmt: skip
    except shell.CommandFailed as error:
        raise Problem(f"building image {name} failed: {error.last_words}", fix=f"read {log}") from error


def debian_program(settings: Settings, component: Component, target: Path) -> None:
    """Take one program out of a Debian package; apt checks the archive's signatures."""
    deb = component.deb
    assert deb is not None
    base = load().get("debian").image
    assert base is not None
    script = (
        "set -e; cd /tmp; for s in $SUITES; do sed -e '/^$/,$d' -e \"s/^Suites:.*/Suites: $s/\" "
        "/etc/apt/sources.list.d/debian.sources > /etc/apt/sources.list.d/$s.sources; done; "
        "apt-get -qq -o Acquire::Check-Valid-Until=false update; for s in $SUITES; do "
        "apt-get -qq -t $s download $PACKAGE && break; done; dpkg-deb -x $PACKAGE*.deb /tmp/x; "
        "cat /tmp/x/$PROGRAM > /out/program; chmod 755 /out/program"
    )
    with store.scratch(settings.cache) as folder:
        shell.run(
            "docker", "run", "--rm", "--volume", f"{folder}:/out",
            "--env", f"SUITES={' '.join(deb.suites)}", "--env", f"PACKAGE={deb.package}",
            "--env", f"PROGRAM={deb.program}", base, "sh", "-c", script,
            log=settings.cache / "logs" / f"{component.name}.log",
        )  # fmt: skip
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(folder / "program", target)


_WAIT_FOR_LOCK = ("-o", "DPkg::Lock::Timeout=120")
"""Seconds for another apt-get to end."""
_INTERRUPTED = "dpkg --configure -a"
"""What apt-get asks for, and does not do itself, after an installation that was killed."""


def ensure_package(program: str, *packages: str) -> None:
    """Install Debian packages (default: named as the program) when `program` is missing and we may."""
    if shutil.which(program) or Path(f"/usr/sbin/{program}").exists():
        return
    wanted = packages or (program,)
    if os.geteuid() != 0 or not Path("/etc/debian_version").exists():
        raise Problem(f"program '{program}' is missing", fix=f"apt-get install {' '.join(wanted)} (as root)")
    shell.run("apt-get", "update", "-qq")
    install = ("apt-get", "install", "-y", "-qq", "--no-install-recommends", *_WAIT_FOR_LOCK, *wanted)
    env = {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        shell.run(*install, env=env)
    except shell.CommandFailed as failure:
        if _INTERRUPTED not in failure.result.err:
            raise
        shell.run(*_INTERRUPTED.split(), env=env)
        shell.run(*install, env=env)


def mirror(archive: str) -> str:
    """The Debian mirror this machine uses for `archive` (debian or debian-security)."""
    pattern = re.compile(rf"https?://\S+/{archive}/?(?=\s|$)", re.MULTILINE)
    for path in [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]:
        if path.is_file():
            lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
            if found := pattern.search("\n".join(lines)):
                return found.group().rstrip("/")
    return _DEBIAN if archive == "debian" else f"{_DEBIAN}-security"


def _sources(suite: str) -> str:
    signed = "Components: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
    return (
        f"Types: deb\nURIs: {mirror('debian')}\nSuites: {suite} {suite}-updates\n{signed}\n"
        f"Types: deb\nURIs: {mirror('debian-security')}\nSuites: {suite}-security\n{signed}"
    )
