"""`nox -s validate [-- --format text|github|json|sarif]`: check the whole repository; exit code 1 on any finding."""

import argparse
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from ci import settings
from ci.problem import Problem
from ci.validate.run import PARTS, Verdict, validate
from policies.formats import FORMATS, render


def main(arguments: list[str]) -> int:
    """Run all parts, or those that are named, and print the verdict; times go to stderr."""
    parser = argparse.ArgumentParser(prog="nox -s validate --", description=__doc__)
    parser.add_argument("--format", choices=FORMATS, default="text", help="how findings are printed")
    parser.add_argument("--root", type=Path, default=settings.ROOT, help="another work tree")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"only these: {', '.join(PARTS)}")
    given = parser.parse_args(arguments)
    if unknown := set(given.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    started = time.monotonic()
    try:
        today = datetime.now(UTC).date()
        verdict = validate(settings.load(), given.root.resolve(), today, tuple(given.parts) or PARTS)
    except Problem as problem:
        print(problem, file=sys.stderr)
        return 1
    text = render(verdict.findings, given.format)
    if text:
        print(text)
    print(_summary(verdict, time.monotonic() - started), file=sys.stderr)
    return 1 if verdict.findings else 0


def _summary(verdict: Verdict, seconds: float) -> str:
    lines = [f"note: {note}" for note in verdict.notes]
    lines += [
        f"{each.part:<15}{each.seconds:6.2f} s{'  unchanged' if each.kept else ''}"
        for each in verdict.timings
    ]
    files = len({finding.position.file for finding in verdict.findings})
    count = len(verdict.findings)
    said = (
        f"{count} finding{'s' * (count != 1)} in {files} file{'s' * (files != 1)}"
        if count
        else "nothing found"
    )
    return "\n".join([*lines, f"validate: {said}, {seconds:.2f} s"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
