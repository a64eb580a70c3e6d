"""Waivers: `# allow ID until YYYY-MM-DD: reason`, on the line of a finding or right above it."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from policies.finding import Finding, Position
from policies.sources import Sources

_HINT = re.compile(r"(?:#|//)\s*allow\s+(?P<rest>[A-Z]+\d.*)$")
_FORM = re.compile(r"(?P<id>[A-Z]+\d+) until (?P<until>\d{4}-\d\d-\d\d): *(?P<reason>\S.{9,})")
_WHY = "A waiver is a decision with an end: who comes later must see why, and until when."
_FIX = "Write `# allow ID until YYYY-MM-DD: reason` right above the line, or correct the line and remove it."


@dataclass(frozen=True, slots=True)
class Waiver:
    """One rule may be broken at these lines of a file, until a day."""

    position: Position
    lines: frozenset[int]
    id: str
    until: date


def apply(
    sources: Sources, findings: Iterable[Finding], known: frozenset[str], today: date
) -> Iterator[Finding]:
    """Leave out what is waived; add what is wrong with the waivers themselves."""
    waivers, faults = read(sources, known, today)
    yield from faults
    used: set[Waiver] = set()
    for finding in findings:
        matching = [each for each in waivers if _covers(each, finding)]
        used.update(matching)
        if not matching:
            yield finding
    for waiver in waivers:
        if waiver not in used:
            yield _finding(
                waiver.position, f"waiver of {waiver.id} is not needed: the rule finds nothing here"
            )


def read(sources: Sources, known: frozenset[str], today: date) -> tuple[list[Waiver], list[Finding]]:
    """Return the valid waivers, and findings for those that explain nothing or are over."""
    waivers: list[Waiver] = []
    faults: list[Finding] = []
    for name in sources.names:
        text = "" if name.endswith(".py") else sources.text(name)
        if "allow " not in text:
            continue
        lines = text.splitlines()
        for number, line in enumerate(lines, 1):
            hint = _HINT.search(line)
            if not hint:
                continue
            position = Position(name, number, hint.start() + 1)
            result = _one(position, hint["rest"], _lines(lines, number), known, today)
            (waivers if isinstance(result, Waiver) else faults).append(result)  # type: ignore[arg-type]
    return waivers, faults


def _one(
    position: Position, text: str, lines: frozenset[int], known: frozenset[str], today: date
) -> Waiver | Finding:
    form = _FORM.fullmatch(text.strip())
    if form is None:
        return _finding(position, "waiver without a day and a reason of at least ten letters")
    if form["id"] not in known:
        return _finding(position, f"waiver of {form['id']}, which is no rule")
    try:
        until = date.fromisoformat(form["until"])
    except ValueError:
        return _finding(position, f"waiver until {form['until']}, which is no day")
    if until < today:
        return _finding(position, f"waiver of {form['id']} ended on {until}")
    return Waiver(position, lines, form["id"], until)


def _lines(lines: list[str], number: int) -> frozenset[int]:
    """The waiver's own line, or the first line below that is no comment."""
    if not lines[number - 1].lstrip().startswith(("#", "//")):
        return frozenset({number})
    below = number
    while below < len(lines) and lines[below].lstrip().startswith(("#", "//")):
        below += 1
    return frozenset({number, below + 1})


def _covers(waiver: Waiver, finding: Finding) -> bool:
    place = finding.position
    return waiver.id == finding.id and waiver.position.file == place.file and place.line in waiver.lines


def _finding(position: Position, message: str) -> Finding:
    return Finding(position, "WAIVER", message, _WHY, _FIX)
