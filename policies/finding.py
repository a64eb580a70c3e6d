"""What a rule says: a place, a fact, why it matters and what to do."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a file of the repository; line and column count from 1."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One mistake; sorts by place, then by rule."""

    position: Position
    id: str
    message: str
    why: str = ""
    fix: str = ""
    part: str = "policies"
    """The part of `validate` that says so: policies, kubeconform, zizmor, ..."""

    def __str__(self) -> str:
        return f"{self.position}: {self.id} {self.message}"
