"""The catalogue of third-party components, loaded and checked."""

import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from ci.problem import Problem

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Keep:
    """Which plugins of a list in `file` are compiled in; the others need not be compiled at all.

    Lines that match `lines`, a pattern whose group is the plugin's name, stay only for `names`.
    `module` is the one that has the file, by default the component's own.
    """

    file: str
    lines: str
    names: tuple[str, ...]
    module: str = ""


@dataclass(frozen=True, slots=True)
class GoBuild:
    """How a component's programs are compiled: packages of a module pinned in modules/NAME/go.sum.

    With `imports`, the main package is generated: upstream's `coremain` with these plugins. With
    `keep`, a list of plugins in upstream's source is shortened in a copy.
    """

    module: str
    packages: tuple[str, ...]
    ldflags: str = ""
    imports: tuple[str, ...] = ()
    keep: Keep | None = field(default=None, repr=False)  # golang.key adds it where there is one


@dataclass(frozen=True, slots=True)
class DebianProgram:
    """A program taken out of a Debian package, from the first suite that has the package."""

    package: str
    suites: tuple[str, ...]
    program: str


@dataclass(frozen=True, slots=True)
class Component:
    """One entry; see the head of catalogue.toml for the fields."""

    name: str
    version: str
    how: str
    seconds: float
    image: str | None = None
    pull: str | None = None
    path: str | None = None
    uses: tuple[str, ...] = ()
    module_files: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    wheels: str = ""
    go: GoBuild | None = None
    deb: DebianProgram | None = None
    always: bool = False
    late: bool = False
    note: str = ""

    @property
    def upstream(self) -> str | None:
        """The image to pull for this component, or None where it is always built."""
        return None if self.always else self.image or self.pull


@dataclass(frozen=True, slots=True)
class Mirror:
    """An upstream git repository, answered for at the component's version tag."""

    repository: str
    component: str
    folders: tuple[str, ...]
    without: tuple[str, ...] = ()
    """Declared differences to upstream: `FILE` is left out, `FILE:KEY` is left out of a YAML file."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Components in the order of work, the mirrors, and the Go toolchain's version."""

    components: Mapping[str, Component]
    mirrors: Mapping[str, Mirror]
    toolchain: str

    def get(self, name: str) -> Component:
        """Return the entry `name`; Problem when there is none."""
        try:
            return self.components[name]
        except KeyError:
            raise Problem(
                f"component '{name}' is not in the catalogue",
                fix=f"use one of: {', '.join(self.components)}",
            ) from None

    def in_order(self, names: Iterable[str]) -> list[Component]:
        """The named components and everything their builds use, in the order of work."""
        wanted: set[str] = set()
        queue = list(names)
        while queue:
            component = self.get(queue.pop())
            if component.name not in wanted:
                wanted.add(component.name)
                queue.extend(component.uses)
        return [c for c in self.components.values() if c.name in wanted]


def load() -> Catalogue:
    """Load the catalogue, or the one that SLIPWAY_CATALOGUE names (a site's own versions)."""
    return read(Path(os.environ.get("SLIPWAY_CATALOGUE") or HERE / "catalogue.toml"))


@cache
def read(path: Path) -> Catalogue:
    """Read a catalogue; a missing file, unknown fields and dangling names raise Problem."""
    try:
        data = tomllib.loads(path.read_text())
        components = {name: _component(name, entry) for name, entry in data["component"].items()}
        mirrors = {name: Mirror(**_tuples(entry)) for name, entry in data.get("mirror", {}).items()}
        catalogue = Catalogue(components, mirrors, data["toolchain"]["version"])
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise Problem(f"catalogue cannot be read: {error}", fix=f"correct {path}") from error
    except (TypeError, KeyError) as error:
        raise Problem(f"catalogue entry is malformed: {error}", fix=f"correct {path}") from error
    for component in components.values():
        for used in component.uses:
            catalogue.get(used)
    return catalogue


def _component(name: str, entry: Mapping[str, Any]) -> Component:
    fields = {key.replace("-", "_"): value for key, value in entry.items()}
    if "go" in fields:
        go = _tuples(fields["go"])
        if "keep" in go:
            go["keep"] = Keep(**_tuples(go["keep"]))
        fields["go"] = GoBuild(**go)
    if "deb" in fields:
        fields["deb"] = DebianProgram(**_tuples(fields["deb"]))
    return Component(name=name, **_tuples(fields))


def _tuples(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(v) if isinstance(v, list) else v for key, v in entry.items()}
