"""Run every part side by side, and time each."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ci.problem import Problem
from ci.settings import Settings
from ci.validate import kubeconform, linters, rendering, secrets, tree
from ci.validate.tree import Rendered, Tree
from policies import engine, rule
from policies.finding import Finding, Position

Part = Callable[[Tree], tuple[list[Finding], bool]]
STANDALONE: dict[str, Part] = {
    "cfn-lint": linters.cfn_lint,
    "actionlint": linters.actionlint,
    "zizmor": linters.zizmor,
    "hadolint": linters.hadolint,
    secrets.PART: secrets.check,
}
"""Parts that need only files; `render` and what follows it run beside them."""
POLICIES = "policies"
PARTS = (rendering.PART, kubeconform.PART, POLICIES, *STANDALONE)


@dataclass(frozen=True, slots=True)
class Timing:
    """One part's share: seconds, and whether all of it was known from before."""

    part: str
    seconds: float
    kept: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """What validate says: findings sorted by place, the parts' shares, and what was left out."""

    findings: tuple[Finding, ...]
    timings: tuple[Timing, ...]
    notes: tuple[str, ...]


def validate(settings: Settings, root: Path, today: date, parts: tuple[str, ...] = PARTS) -> Verdict:
    """Check the tree below `root`. A part that cannot run is a finding too."""
    given = tree.load(settings, root)
    findings: list[Finding] = []
    timings: list[Timing] = []

    def timed(name: str, part: Callable[[], tuple[list[Finding], bool]]) -> None:
        started = time.monotonic()
        try:
            found, kept = part()
        except Problem as problem:
            found, kept = (
                [Finding(Position("."), "VALIDATE", f"{name}: {problem.what}", "", problem.fix, name)],
                False,
            )
        findings.extend(found)
        timings.append(Timing(name, time.monotonic() - started, kept))

    with ThreadPoolExecutor(6) as pool, ThreadPoolExecutor(4) as renders:
        running: list[Future[None]] = [
            pool.submit(timed, name, lambda part=part: part(given))  # type: ignore[misc]  # bound per name
            for name, part in STANDALONE.items()
            if name in parts
        ]
        rendered: Rendered = {}

        def render() -> tuple[list[Finding], bool]:
            found, faults, kept = rendering.everything(given, renders)
            rendered.update(found)
            return faults, kept

        if {rendering.PART, kubeconform.PART, POLICIES} & set(parts):
            timed(rendering.PART, render)
            system = tree.system(given, rendered)
            if kubeconform.PART in parts:
                running.append(
                    pool.submit(timed, kubeconform.PART, lambda: kubeconform.check(given, rendered, system))
                )
            if POLICIES in parts:
                timed(POLICIES, lambda: _policies(given, rendered, today))
        for each in running:
            each.result()
    tree.prune(settings)
    order = list(PARTS)
    return Verdict(
        tuple(sorted(set(findings))),
        tuple(sorted(timings, key=lambda timing: order.index(timing.part))),
        tuple(dict.fromkeys(given.notes)),
    )


def _policies(given: Tree, rendered: Rendered, today: date) -> tuple[list[Finding], bool]:
    code = sorted(Path(rule.__file__).parent.rglob("*.py"))
    key = [
        str(today), *(path.read_bytes() for path in code),
        *given.contents(given.files), given.rendered,
    ]  # fmt: skip
    data, kept = given.kept(
        POLICIES, key, lambda: tree.plain(engine.check(tree.system(given, rendered), today))
    )
    return tree.findings(data), kept
