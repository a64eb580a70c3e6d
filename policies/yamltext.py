"""YAML text to documents that know the place of every node.

Read without constructors, so that `!Sub` and its kin of CloudFormation are data, and without the
booleans of YAML 1.1, so that a workflow's `on` stays a word. What is easily misread is a fault.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import yaml

from policies.finding import Position

Path = tuple[str | int, ...]
"""The way from a document's root to a node: keys, and indexes of lists."""

_SUSPECT = re.compile(r"(?m)(?:^|[\s\[{,:-])[&*][A-Za-z0-9_]|<<\s*:")
_YAML_1_1 = frozenset(
    word for base in ("yes", "no", "on", "off", "y", "n") for word in (base, base.title(), base.upper())
)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something in a file that is broken or that two readers read differently; `code` names the rule."""

    position: Position
    code: str
    message: str


class _Loader(yaml.CLoader):
    """Resolves numbers, null, true and false; everything else is text."""

    def resolve(self, kind: type[yaml.Node], value: str, implicit: tuple[bool, bool]) -> str:
        """The tag of a node without one. PyYAML's own also looks at paths, which costs a third of a parse."""
        if kind is yaml.ScalarNode:
            return _tag(value) if implicit[0] else _TEXT
        return _SEQUENCE if kind is yaml.SequenceNode else _MAPPING


_TEXT, _SEQUENCE, _MAPPING = (f"tag:yaml.org,2002:{name}" for name in ("str", "seq", "map"))
_PATTERNS = [
    (tag, pattern)
    for tag, pattern in {
        tag: pattern for each in yaml.CLoader.yaml_implicit_resolvers.values() for tag, pattern in each
    }.items()
    if tag.rpartition(":")[2] in ("int", "float", "null")
] + [("tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"))]


@lru_cache(maxsize=65_536)
def _tag(value: str) -> str:
    """The tag of a plain scalar; the same words come again and again."""
    return next((tag for tag, pattern in _PATTERNS if pattern.match(value)), _TEXT)


class Document:
    """One document of a file: its plain value; nodes, which know places, are made when they are asked for."""

    __slots__ = ("_number", "_root", "_text", "file", "value")

    def __init__(self, file: str, value: Any, text: str, number: int) -> None:
        self.file = file
        self.value = value
        self._text = text
        self._number = number
        self._root: yaml.Node | None = None

    @property
    def root(self) -> yaml.Node:
        """The document's node."""
        if self._root is None:
            nodes = yaml.compose_all(self._text, Loader=_Loader)
            self._root = next(node for number, node in enumerate(nodes) if number == self._number)
        return self._root

    def at(self, *path: str | int) -> Position:
        """The place of the node at `path`; of its nearest ancestor where there is none."""
        return self._walk(path)[0]

    def has(self, *path: str | int) -> bool:
        """Whether there is a node at `path`."""
        return self._walk(path)[1] == len(path)

    def _walk(self, path: Path) -> tuple[Position, int]:
        node, mark, depth = self.root, self.root.start_mark, 0
        for part in path:
            if node.tag.startswith("!") and isinstance(part, str) and part.startswith(("Fn::", "Ref")):
                depth += 1  # the short form has no node of its own
                continue
            found = _child(node, part)
            if found is None:
                break
            mark, node = found
            depth += 1
        return Position(self.file, mark.line + 1, mark.column + 1), depth


def parse(file: str, text: str) -> tuple[tuple[Document, ...], tuple[Fault, ...]]:
    """Return the documents of `text` and what is wrong with it; a broken file has no documents."""
    if _SUSPECT.search(text):
        anchors = tuple(_anchors(file, text))
        if anchors:
            return (), anchors
    documents: list[Document] = []
    faults: list[Fault] = []
    loader = _Loader(text)
    try:
        while loader.check_node():
            node = loader.get_node()
            assert node is not None
            value = _plain(node, file, faults)
            documents.append(Document(file, value, text, len(documents)))
    except yaml.MarkedYAMLError as error:
        return (), (Fault(_place(file, error.problem_mark or error.context_mark), "broken", _words(error)),)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        return (), (Fault(Position(file), "broken", str(error).splitlines()[0]),)
    finally:
        loader.dispose()
    faults += [
        Fault(extra.at(), "several", f"this is document {number} of one file")
        for number, extra in enumerate(documents[1:], 2)
    ]
    return tuple(documents), tuple(faults)


def _anchors(file: str, text: str) -> Iterator[Fault]:
    try:
        for event in yaml.parse(text, Loader=_Loader):
            anchor = getattr(event, "anchor", None)
            if anchor is not None:
                kind = "alias *" if isinstance(event, yaml.AliasEvent) else "anchor &"
                yield Fault(_place(file, event.start_mark), "anchor", f"{kind}{anchor}")
            if isinstance(event, yaml.ScalarEvent) and event.value == "<<" and not event.style:
                yield Fault(_place(file, event.start_mark), "anchor", "merge key <<")
    except yaml.YAMLError:
        return  # the parse that follows says where


def _plain(node: yaml.Node, file: str, faults: list[Fault]) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return _tagged(node, _scalar(node, file, faults))
    if isinstance(node, yaml.SequenceNode):
        return _tagged(node, [_plain(item, file, faults) for item in node.value])
    found: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = key_node.value if isinstance(key_node, yaml.ScalarNode) else str(key_node.value)
        if key in found:
            faults.append(
                Fault(_place(file, key_node.start_mark), "duplicate", f"key '{key}' is there twice")
            )
        found[key] = _plain(value_node, file, faults)
    return _tagged(node, found)


def _tagged(node: yaml.Node, value: Any) -> Any:
    """The value as CloudFormation's long form where the node has a short tag."""
    tag = node.tag
    if not tag.startswith("!") or tag == "!":
        return value
    name = tag[1:]
    if name == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {name if name in ("Ref", "Condition") else f"Fn::{name}": value}


def _scalar(node: yaml.ScalarNode, file: str, faults: list[Fault]) -> Any:
    text: str = node.value
    if node.style:
        return text
    if text in _YAML_1_1:
        faults.append(Fault(_place(file, node.start_mark), "boolean", f"'{text}' without quotes"))
    kind = node.tag.rpartition(":")[2]
    if kind == "bool":
        return text.lower() == "true"
    if kind == "null":
        return None
    if kind == "int":
        return _integer(text)
    return float(text.replace("_", "")) if kind == "float" and ":" not in text else text


def _integer(text: str) -> int | str:
    digits = text.replace("_", "")
    if ":" in digits:
        return text  # base 60 is nobody's intention
    sign, digits = (-1, digits[1:]) if digits.startswith("-") else (1, digits.removeprefix("+"))
    if len(digits) > 1 and digits[0] == "0" and digits[1].isdecimal():
        return sign * int(digits, 8)
    return sign * int(digits, 0)


def _child(node: yaml.Node, part: str | int) -> tuple[yaml.Mark, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(part):
                return key.start_mark, value
    elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part].start_mark, node.value[part]
    elif isinstance(node, yaml.SequenceNode) and isinstance(part, str) and part.startswith("name="):
        for item in node.value:
            named = _child(item, "name")
            if named is not None and named[1].value == part[5:]:
                return item.start_mark, item
    return None


def _place(file: str, mark: Any) -> Position:
    return Position(file, mark.line + 1, mark.column + 1) if mark else Position(file)


def _words(error: yaml.MarkedYAMLError) -> str:
    return " ".join(str(part) for part in (error.context, error.problem) if part)
