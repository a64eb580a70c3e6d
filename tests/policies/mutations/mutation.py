"""What a mutation is, and how a line of the catalogue becomes one for every place that it fits."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True, slots=True)
class Template:
    """A mistake: where `pattern` matches in files like `files`, `new` is written, as re.sub does.

    `elsewhere` is a file that may be named instead, where the mistake is that two files no longer agree.
    """

    name: str
    files: str
    pattern: str
    new: str
    elsewhere: str = ""
    most: int = 3


@dataclass(frozen=True, slots=True)
class Mutation:
    """One mistake in one file, or a file that is gone (`text` is None)."""

    name: str
    file: str
    text: str | None
    line: int
    elsewhere: str

    def __str__(self) -> str:
        return f"{self.name} ({self.file}:{self.line})"


def mutations(templates: list[Template], texts: Mapping[str, str]) -> Iterator[Mutation]:
    """Every mutation of the tree's files; a template that fits nowhere is an error."""
    for template in templates:
        found = list(_of(template, texts))
        if not found:
            raise AssertionError(f"'{template.name}' fits nowhere in {template.files}")
        yield from found


def _of(template: Template, texts: Mapping[str, str]) -> Iterator[Mutation]:
    count = 0
    for file, text in texts.items():
        if not fnmatchcase(file, template.files):
            continue
        if template.pattern == "DELETE":
            yield Mutation(template.name, file, None, 1, template.elsewhere)
            continue
        for match in re.finditer(template.pattern, text, re.MULTILINE):
            changed = text[: match.start()] + match.expand(template.new) + text[match.end() :]
            count += 1
            if changed != text and count <= template.most:
                yield Mutation(
                    template.name, file, changed, text.count("\n", 0, match.start()) + 1, template.elsewhere
                )
