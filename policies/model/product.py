"""The product's parts, read from their own sources: images, ports, paths, credentials."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from policies.finding import Position
from policies.sources import Sources

BAKE = "app/docker-bake.hcl"
NGINX = "app/web/nginx.conf"
ROUTES = "app/ledger/api.py"
SETTINGS = "ci/settings.py"
VERSION = "ci/version.py"
_KEYS = {"eks-app": "app/ledger/credentials.py", "eks-migration": "app/migration/database.py"}
"""Image to the module whose KEYS are the files that it reads from the database's Secret."""
_APP_SETTINGS = "app/ledger/settings.py"


@dataclass(frozen=True, slots=True)
class Target:
    """One image that the bake file builds."""

    name: str
    image: str
    context: str
    position: Position


@dataclass(frozen=True, slots=True)
class Location:
    """A path that nginx answers: with a status of its own, or by the upstream."""

    path: str
    exact: bool
    status: int | None
    upstream: str | None
    position: Position


class Product:
    """What app/ promises."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    @cached_property
    def targets(self) -> tuple[Target, ...]:
        """The images of the bake file."""
        return tuple(self._targets())

    @cached_property
    def group(self) -> tuple[tuple[str, ...], Position]:
        """The default group's targets, and its place."""
        text = self._sources.text(BAKE)
        found = re.search(r'group\s+"default"\s*\{\s*targets\s*=\s*\[([^\]]*)\]', text)
        if found is None:
            return (), Position(BAKE)
        return tuple(re.findall(r'"([^"]+)"', found[1])), _place(BAKE, text, found.start(1))

    @cached_property
    def publishing_order(self) -> tuple[tuple[str, ...], Position]:
        """The images in the order in which the verbs publish them, and the constant's place."""
        value, position = self._constant(SETTINGS, "IMAGES")
        return (tuple(map(str, value)) if isinstance(value, tuple) else ()), position

    @cached_property
    def version_pattern(self) -> str:
        """The regular expression of a version, which is also the tag."""
        tree = _tree(self._sources.text(VERSION))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "compile" and node.args:
                return str(getattr(node.args[0], "value", ""))
        return ""

    def dockerfile(self, image: str) -> str | None:
        """The path of the image's Dockerfile."""
        for target in self.targets:
            if target.image == image:
                folder = "app" if target.context in (".", "") else f"app/{target.context}"
                return f"{folder}/Dockerfile"
        return None

    def exposed(self, image: str) -> tuple[int, ...]:
        """The ports that the image's Dockerfile exposes."""
        text = self._sources.text(self.dockerfile(image) or "")
        return tuple(int(port) for port in re.findall(r"(?mi)^EXPOSE\s+(\d+)", text))

    def credentials(self, image: str) -> tuple[tuple[str, ...], Position]:
        """The keys that the image's program reads from the database's Secret."""
        value, position = self._constant(_KEYS.get(image, ""), "KEYS")
        return (tuple(map(str, value)) if isinstance(value, dict) else ()), position

    @cached_property
    def app_port(self) -> int | None:
        """The port the app listens on unless PORT says otherwise."""
        found = re.search(r'"PORT",\s*(\d+)', self._sources.text(_APP_SETTINGS))
        return int(found[1]) if found else None

    @cached_property
    def routes(self) -> frozenset[str]:
        """The paths the app answers."""
        tree = _tree(self._sources.text(ROUTES))
        calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args)
        return frozenset(
            str(getattr(call.args[0], "value", ""))
            for call in calls
            if getattr(call.func, "id", "") == "Route"
        )

    @cached_property
    def listens(self) -> tuple[tuple[int, Position], ...]:
        """Nginx's own ports."""
        text = self._sources.text(NGINX)
        found = re.finditer(r"(?m)^\s*listen\s+(?:\S*:)?(\d+)", text)
        return tuple((int(each[1]), _place(NGINX, text, each.start(1))) for each in found)

    @cached_property
    def upstreams(self) -> Mapping[str, tuple[str, int, Position]]:
        """Nginx's upstreams: name to host, port and place."""
        text = self._sources.text(NGINX)
        found = re.finditer(r"upstream\s+(\w+)\s*\{[^}]*?server\s+([\w.-]+):(\d+)", text)
        return {each[1]: (each[2], int(each[3]), _place(NGINX, text, each.start(2))) for each in found}

    @cached_property
    def locations(self) -> tuple[Location, ...]:
        """Nginx's locations, in the order of the file."""
        return tuple(self._locations())

    def web_answers(self, path: str) -> bool:
        """Whether nginx answers `path` with something else than 404."""
        exact = next((each for each in self.locations if each.exact and each.path == path), None)
        prefixes = [each for each in self.locations if not each.exact and path.startswith(each.path)]
        found = exact or max(prefixes, key=lambda each: len(each.path), default=None)
        if found is None or found.status == 404:
            return False
        return path in self.routes if found.upstream else True

    def _targets(self) -> Iterator[Target]:
        text = self._sources.text(BAKE)
        for block in re.finditer(r'(?ms)^target\s+"([^"]+)"\s*\{(.*?)^\}', text):
            tag = re.search(r'tags\s*=\s*\["(?:\$\{\w+\}/)?([^":]+)', block[2])
            if tag is not None:
                context = re.search(r'context\s*=\s*"([^"]*)"', block[2])
                place = _place(BAKE, text, block.start(2) + tag.start())
                yield Target(block[1], tag[1], context[1] if context else ".", place)

    def _locations(self) -> Iterator[Location]:
        text = self._sources.text(NGINX)
        for found in re.finditer(r"location\s+(=\s+)?(/\S*)\s*\{([^}]*)\}", text):
            status = re.search(r"return\s+(\d+)", found[3])
            proxy = re.search(r"proxy_pass\s+http://(\w+)", found[3])
            yield Location(
                found[2], bool(found[1]), int(status[1]) if status else None,
                proxy[1] if proxy else None, _place(NGINX, text, found.start(2)),
            )  # fmt: skip

    def _constant(self, file: str, name: str) -> tuple[object, Position]:
        for node in _tree(self._sources.text(file)).body:
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == name:
                try:
                    return ast.literal_eval(node.value), Position(file, node.lineno, node.col_offset + 1)
                except ValueError:
                    break
        return None, Position(file or "app")


def _tree(text: str) -> ast.Module:
    try:
        return ast.parse(text)
    except SyntaxError:  # ruff's and mypy's business
        return ast.Module(body=[], type_ignores=[])


def _place(file: str, text: str, offset: int) -> Position:
    line = text.count("\n", 0, offset) + 1
    return Position(file, line, offset - (text.rfind("\n", 0, offset) + 1) + 1)
