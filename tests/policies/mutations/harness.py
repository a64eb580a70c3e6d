"""Apply each mutation to a copy of the tree, ask validate, put the file back.

`python -m tests.policies.mutations.harness [WORDS...]` prints caught / total, and every survivor; with words only those
whose name or file has one of them.
"""

import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path

from ci import settings
from ci.settings import ROOT
from ci.validate.run import PARTS, validate
from policies.finding import Finding
from policies.rule import discover
from tests.policies.mutations.catalogue import ALL, EXPLAINED
from tests.policies.mutations.mutation import Mutation, mutations

QUICK = ("render", "policies")
SLOW = tuple(part for part in PARTS if part != "detect-secrets")
"""What is asked where policies say nothing; secrets are found in any text and have a test of their own."""
_LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache", "artifacts", "docs")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What validate said to a mutation; `where` are the findings in an acceptable file."""

    mutation: Mutation
    findings: tuple[Finding, ...]
    where: tuple[Finding, ...]

    @property
    def caught(self) -> bool:
        """Whether it was reported, at the right file."""
        return bool(self.where)


def texts() -> dict[str, str]:
    """The tree's text files."""
    found = {}
    for folder in ("gitops", "infra", "app", "ci", ".github"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                try:
                    found[path.relative_to(ROOT).as_posix()] = path.read_text()
                except UnicodeDecodeError:
                    continue
    return {**found, **{name: (ROOT / name).read_text() for name in ("tasks.py", "noxfile.py")}}


def outcomes(words: Sequence[str] = ()) -> Iterator[Outcome]:
    """Run every mutation, or those whose name or file has one of `words`."""
    today = datetime.now(UTC).date()
    with tempfile.TemporaryDirectory(prefix="slipway-mutations-") as folder:
        configuration = _with_own_cache(settings.load(), Path(folder) / "cache")
        root = Path(shutil.copytree(ROOT, Path(folder) / "tree", ignore=_LEFT_OUT))
        clean = validate(configuration, root, today, SLOW).findings
        assert not clean, f"the untouched tree is not silent: {clean[0]}"
        for mutation in mutations(ALL, texts()):
            if not words or any(word in f"{mutation.name} {mutation.file}" for word in words):
                yield _outcome(configuration, root, mutation)


def _with_own_cache(configuration: settings.Settings, cache: Path) -> settings.Settings:
    """The settings with a cache that goes with the run, and the machine's tools in it."""
    cache.mkdir()
    for name in ("bin", "mirrors", "go", "toolchain"):
        (configuration.cache / name).mkdir(parents=True, exist_ok=True)
        (cache / name).symlink_to(configuration.cache / name)
    return replace(configuration, cache=cache)


def _outcome(configuration: settings.Settings, root: Path, mutation: Mutation) -> Outcome:
    path = root / mutation.file
    before = path.read_bytes()
    try:
        if mutation.text is None:
            path.unlink()
        else:
            path.write_text(mutation.text)
        today = datetime.now(UTC).date()
        found = validate(configuration, root, today, QUICK).findings
        where = _acceptable(found, mutation)
        if not where:
            found = validate(configuration, root, today, SLOW).findings
            where = _acceptable(found, mutation)
        return Outcome(mutation, found, where)
    finally:
        path.write_bytes(before)


def _acceptable(found: tuple[Finding, ...], mutation: Mutation) -> tuple[Finding, ...]:
    return tuple(
        each
        for each in found
        if each.position.file == mutation.file
        or (mutation.elsewhere and fnmatchcase(each.position.file, mutation.elsewhere))
    )


def main(words: Sequence[str]) -> int:
    """Print what survived, how many were caught, and which rules nothing woke."""
    started, total, survivors, woken = time.monotonic(), 0, [], Counter[str]()
    for outcome in outcomes(words):
        total += 1
        woken.update({each.id for each in outcome.where})
        if not outcome.caught:
            survivors.append(outcome)
            said = "; ".join(str(each)[:150] for each in outcome.findings[:2])
            why = EXPLAINED.get(outcome.mutation.name, "")
            print(f"survived: {outcome.mutation}  {why or said or 'nothing was found'}", flush=True)
        if total % 25 == 0:
            print(f"  ... {total - len(survivors)} of {total} caught", file=sys.stderr, flush=True)
    asleep = [rule.id for rule in discover() if not woken[rule.id]]
    if asleep and not words:
        print(f"no mutation woke {', '.join(asleep)}")
    seconds = time.monotonic() - started
    print(f"{total - len(survivors)} of {total} caught, by {len(woken)} rules and parts, {seconds:.0f} s")
    unexplained = any(each.mutation.name not in EXPLAINED for each in survivors)
    return 1 if unexplained or (asleep and not words) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
