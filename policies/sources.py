"""The repository's files as text and YAML documents, and what could not be read."""

from collections.abc import Iterator, Mapping
from functools import cached_property

from policies.finding import Position
from policies.loader import Files, Unread
from policies.memory import uncollected
from policies.yamltext import Document, Fault, parse

_YAML = (".yaml", ".yml")
_TEXT = (*_YAML, ".toml", ".conf", ".hcl", ".py", ".json", "Dockerfile")


class Sources:
    """All files of one tree; parsed once, when first asked for."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self._faults: list[Fault] = []
        self._texts: dict[str, str] = {}
        for name, contents in files.items():
            self._decode(name, contents)

    @property
    def names(self) -> Mapping[str, object]:
        """Every file's path, read or not."""
        return self.files

    def text(self, name: str) -> str:
        """The file's text; empty where it is missing or could not be read."""
        return self._texts.get(name, "")

    def under(self, folder: str, *suffixes: str) -> Iterator[str]:
        """Paths of files below `folder`, of these endings."""
        prefix = folder.rstrip("/") + "/"
        return (
            name
            for name in self.files
            if name.startswith(prefix) and (not suffixes or name.endswith(suffixes))
        )

    def documents(self, name: str) -> tuple[Document, ...]:
        """The YAML documents of a file; none where it is missing or broken."""
        return self._parsed.get(name, ())

    def document(self, name: str) -> Document | None:
        """The one YAML document of a file."""
        return next(iter(self.documents(name)), None)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What could not be read, or reads differently elsewhere."""
        _ = self._parsed
        return tuple(self._faults)

    @cached_property
    def _parsed(self) -> dict[str, tuple[Document, ...]]:
        found = {}
        with uncollected():
            for name, text in self._texts.items():
                if name.endswith(_YAML):
                    found[name], faults = parse(name, text)
                    self._faults += faults
        return found

    def _decode(self, name: str, contents: bytes | Unread) -> None:
        if isinstance(contents, Unread):
            self._faults.append(Fault(Position(name), "unread", contents.why))
            return
        if not name.endswith(_TEXT) and not name.startswith("gitops/"):
            return
        try:
            text = contents.decode()
        except UnicodeDecodeError as error:
            line = contents.count(b"\n", 0, error.start) + 1
            self._faults.append(Fault(Position(name, line), "unread", "it is not UTF-8"))
            return
        if "\0" in text:
            line = text.count("\n", 0, text.index("\0")) + 1
            self._faults.append(Fault(Position(name, line), "unread", "it holds binary data"))
            return
        self._texts[name] = text
