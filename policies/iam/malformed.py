"""The error of a policy document that AWS would not accept, with the position inside the document."""

from collections.abc import Iterable
from difflib import get_close_matches


class Malformed(Exception):
    """A policy document breaks the policy language.

    `where` is the position inside the document, such as `Statement[1].Condition.StringEqualz`; `why` says
    what is wrong there.
    """

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"{where}: {why}")
        self.where = where
        self.why = why


def hint(name: str, known: Iterable[str]) -> str:
    """Return ` (did you mean ...?)` for a `name` that is nearly one of `known`, else nothing."""
    lower = {item.lower(): item for item in known}
    near = get_close_matches(name.lower(), lower, n=1)
    return f" (did you mean {lower[near[0]]}?)" if near else ""
