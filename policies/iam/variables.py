"""Policy variables: `${aws:username}`, `${aws:username, 'default'}`, and `${*}`, `${?}`, `${$}`.

Only documents of Version 2012-10-17 have them; in others the same characters stand for themselves.
A variable whose key is absent, empty or has several values is null: nothing equals it and nothing is like it,
so a positive operator fails and a negated one holds.
Source: IAM User Guide, "IAM policy elements: Variables and tags".
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from policies.iam.malformed import Malformed
from policies.iam.wildcards import Glob, Wild

Context = Mapping[str, tuple[str, ...]]
"""Condition keys, in lower case, and their values in the request."""

_TOKEN = re.compile(r"\$\{([^}]*)\}|\*|\?")
_KEY = re.compile(r"\s*([^,'\s${][^,'${]*?)\s*(?:,\s*'([^']*)'\s*)?")
_CHARACTERS = ("*", "?", "$")


@dataclass(frozen=True, slots=True)
class Variable:
    """A place for the value of condition key `key` (lower case)."""

    key: str
    default: str | None

    def value(self, context: Context) -> str | None:
        """Return what stands in its place for this request, or None."""
        values = context.get(self.key, ())
        if len(values) == 1 and values[0]:
            return values[0]
        return self.default


Token = str | Wild | Variable


def read(text: str, where: str, *, variables: bool, wildcards: bool) -> tuple[Token, ...]:
    """Return the tokens of `text`: texts, and wildcards and variables as far as they mean something here."""
    tokens: list[Token] = []
    position = 0
    for match in _TOKEN.finditer(text):
        token = _token(match, where, variables=variables, wildcards=wildcards)
        if isinstance(token, str) and not variables and match.group(1) is not None:
            # Without variables the braces are plain text, in which a star is still a star.
            tokens.extend(_plain(match.group(), text[position : match.start()], wildcards=wildcards))
        else:
            tokens.extend((text[position : match.start()], token))
        position = match.end()
    tokens.append(text[position:])
    if variables and any("${" in token for token in tokens if isinstance(token, str)):
        raise Malformed(where, "a variable is not closed: '${' without '}'")
    return _joined(tokens)


def _plain(braces: str, before: str, *, wildcards: bool) -> list[Token]:
    pieces = re.split(r"([*?])", braces)
    return [before, *(Wild(piece) if wildcards and piece in ("*", "?") else piece for piece in pieces)]


def _token(match: re.Match[str], where: str, *, variables: bool, wildcards: bool) -> Token:
    name = match.group(1)
    if name is None:
        return Wild(match.group()) if wildcards else match.group()
    if not variables:
        return match.group()
    if name in _CHARACTERS:
        return name
    parts = _KEY.fullmatch(name)
    if parts is None or ":" not in parts.group(1):
        raise Malformed(
            where,
            f"'{match.group()}' is no variable: write ${{aws:username}} or ${{aws:username, 'default'}}",
        )
    return Variable(parts.group(1).lower(), parts.group(2))


def _joined(tokens: Sequence[Token]) -> tuple[Token, ...]:
    """Put neighbouring texts together and drop empty ones."""
    joined: list[Token] = []
    for token in tokens:
        if isinstance(token, str) and joined and isinstance(joined[-1], str):
            joined[-1] += token
        elif token != "":
            joined.append(token)
    return tuple(joined)


def resolve(tokens: tuple[Token, ...], context: Context) -> Glob | None:
    """Return `tokens` with their variables filled in, or None where one of them is null.

    What a variable brings in is text: a star in it matches a star.
    """
    filled: list[Token] = []
    for token in tokens:
        value = token.value(context) if isinstance(token, Variable) else token
        if value is None:
            return None
        filled.append(value)
    return tuple(token for token in _joined(filled) if not isinstance(token, Variable))
