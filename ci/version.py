"""Versions of the product: strict `vX.Y.Z`, compared as numbers."""

import re
from dataclasses import dataclass
from typing import Self

from ci.problem import Problem

_FORM = re.compile(r"v(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """One version; `str()` gives the tag, `v1.2.3`."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return f"v{self.major}.{self.minor}.{self.patch}"

    @classmethod
    def read(cls, text: str) -> Self | None:
        """Return the version that `text` is, or None where it is something else."""
        match = _FORM.fullmatch(text)
        return cls(*map(int, match.groups())) if match else None

    def next(self) -> "Version":
        """Return the next patch version."""
        return Version(self.major, self.minor, self.patch + 1)


def parse(text: str) -> Version:
    """Return the version that `text` is; anything else raises Problem."""
    version = Version.read(text)
    if version is None:
        raise Problem(f"'{text}' is not a version", fix="give three numbers as in v1.2.3, without suffix")
    return version
