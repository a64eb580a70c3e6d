"""Wildcards of the policy language, compiled to regular expressions that do not backtrack without bound.

Three styles, because AWS has three: in texts (`StringLike`, actions) a wildcard stands for anything; in
`Resource` it stays inside its segment of the ARN, except that a `*` which ends a segment reaches beyond the
colon; in ARN conditions each of the six segments is compared by itself.
Source: IAM User Guide, "IAM JSON policy elements: Resource" and "Condition operators".
"""

import re
from enum import Enum

ARN_SEGMENTS = 6
"""An ARN has six parts; the last one, the resource, may hold colons of its own."""


class Wild(Enum):
    """A wildcard inside a glob."""

    ANY = "*"
    ONE = "?"


Glob = tuple[str | Wild, ...]
"""A pattern, read: texts that stand for themselves, and wildcards."""


class Style(Enum):
    """What a wildcard may stand for."""

    TEXT = "text"
    RESOURCE = "resource"
    ARN = "arn"


def expression(glob: Glob, style: Style) -> str:
    """Return the regular expression of `glob`, for `re.match` with DOTALL; it carries its own end.

    A star before more text becomes an atomic group that takes the first fit: a later fit could not help, since
    the star that follows takes up what is between. That keeps matching linear, whoever wrote the policy. The one
    exception is a star that may cross colons before one that may not; an ARN bounds how many of those there are.
    """
    if style is Style.ARN and glob == (Wild.ANY,):
        return r"(?:[^:]*:){5}.*\Z"
    stars, texts = _split(glob, style)
    parts = [texts[0]]
    for index, (confined, text) in enumerate(zip(stars, texts[1:], strict=True)):
        star = "[^:]*" if confined else ".*"
        if index == len(stars) - 1:
            if not confined and not text:
                return "".join(parts)
            parts.append(f"{star}{text}")
        elif confined or not any(stars[index + 1 :]):
            parts.append(f"(?>{star}?{text})")
        else:
            parts.append(f"{star}?{text}")
    return "".join(parts) + r"\Z"


def _split(glob: Glob, style: Style) -> tuple[list[bool], list[str]]:
    """Split `glob` at its stars: whether each star is confined to its segment, and the texts around them."""
    stars: list[bool] = []
    texts = [""]
    colons = 0
    for index, token in enumerate(glob):
        confined = style is not Style.TEXT and colons < ARN_SEGMENTS - 1
        if isinstance(token, str):
            colons += token.count(":")
            texts[-1] += re.escape(token)
        elif token is Wild.ONE:
            texts[-1] += "[^:]" if confined else "."
        elif stars and not texts[-1]:
            # Two stars in a row are one; the second knows what follows them.
            stars[-1] = confined and not _reaches(glob, index, style)
        else:
            stars.append(confined and not _reaches(glob, index, style))
            texts.append("")
    return stars, texts


def _reaches(glob: Glob, index: int, style: Style) -> bool:
    """Return whether the star at `index` ends its segment and so reaches beyond the colon."""
    if style is not Style.RESOURCE:
        return False
    following = glob[index + 1] if index + 1 < len(glob) else ":"
    return isinstance(following, str) and following.startswith(":")
