"""Lists of patterns, compiled once when a document is parsed, so that a look-up costs a microsecond or less."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from policies.iam import variables
from policies.iam.variables import Context, Token, Variable
from policies.iam.wildcards import Glob, Style, Wild, expression


class Text(NamedTuple):
    """A string of a document and its position in it."""

    where: str
    value: str


class Reading(NamedTuple):
    """How the strings of one element are to be read."""

    style: Style
    wildcards: bool = True
    variables: bool = False
    ignore_case: bool = False


@dataclass(frozen=True, slots=True)
class Template:
    """A pattern with variables, which is complete only when the request is known."""

    tokens: tuple[Token, ...]
    reading: Reading

    def match(self, value: str, context: Context) -> bool:
        """Return whether `value` (in lower case, where case is ignored) is what the pattern says."""
        glob = variables.resolve(self.tokens, context)
        if glob is None:
            return False
        if self.reading.ignore_case:
            glob = tuple(token.lower() if isinstance(token, str) else token for token in glob)
        return _compiled(glob, self.reading.style).match(value) is not None


@lru_cache(maxsize=4096)
def _compiled(glob: Glob, style: Style) -> re.Pattern[str]:
    return re.compile(expression(glob, style), re.DOTALL)


@dataclass(frozen=True, slots=True)
class Patterns:
    """Alternatives; `texts` are they as written in the document."""

    texts: tuple[str, ...]
    exact: frozenset[str]
    globs: re.Pattern[str] | None
    templates: tuple[Template, ...]
    ignore_case: bool

    def match(self, value: str, context: Context) -> bool:
        """Return whether `value` is one of the alternatives."""
        if self.ignore_case:
            value = value.lower()
        if value in self.exact or (self.globs is not None and self.globs.match(value) is not None):
            return True
        return bool(self.templates) and any(template.match(value, context) for template in self.templates)


def patterns(texts: Iterable[Text], reading: Reading) -> Patterns:
    """Compile `texts`; a variable that cannot be one raises Malformed with its position."""
    exact: set[str] = set()
    globs: list[str] = []
    templates: list[Template] = []
    written = tuple(texts)
    for text in written:
        tokens = variables.read(
            text.value, text.where, variables=reading.variables, wildcards=reading.wildcards
        )
        if any(isinstance(token, Variable) for token in tokens):
            templates.append(Template(tokens, reading))
            continue
        glob: Glob = tuple(_folded(token, reading) for token in tokens if not isinstance(token, Variable))
        if any(isinstance(token, Wild) for token in glob):
            globs.append(expression(glob, reading.style))
        else:
            exact.add("".join(token for token in glob if isinstance(token, str)))
    return Patterns(
        texts=tuple(text.value for text in written),
        exact=frozenset(exact),
        globs=re.compile("|".join(f"(?:{glob})" for glob in globs), re.DOTALL) if globs else None,
        templates=tuple(templates),
        ignore_case=reading.ignore_case,
    )


def _folded(token: str | Wild, reading: Reading) -> str | Wild:
    return token.lower() if reading.ignore_case and isinstance(token, str) else token
