"""Waivers: what they take away, and what they add."""

from datetime import date

import pytest

from policies import engine
from policies.model.system import System
from policies.rule import discover
from policies.sources import Sources

TODAY = date(2026, 11, 25)
FILE = "gitops/a.yaml"


def findings(text: str) -> list[str]:
    sources = Sources({FILE: text.encode(), "gitops/kustomization.yaml": b"resources: [a.yaml]\n"})
    return [
        f"{each.position.line}: {each.id}" for each in engine.check(System(sources, {}), TODAY, discover())
    ]


REASON = "kept until the next window"


@pytest.mark.parametrize(
    "text",
    [
        f"# allow READ05 until 2026-11-25: {REASON}\na: yes\n",
        f"a: yes  # allow READ05 until 2027-01-01: {REASON}\n",
        f"# allow READ05 until 2027-01-01: {REASON}\n# more words\na: yes\n",
        f"# allow READ05 until 2027-01-01: {REASON}\n# allow READ03 until 2027-01-01: {REASON}\na: yes\na: 1\n",
    ],
)
def test_waived(text: str) -> None:
    assert "READ05" not in " ".join(findings(text))


@pytest.mark.parametrize(
    ("waiver", "line"),
    [
        ("# allow READ05", 1),
        ("# allow READ05 until 2027-01-01", 1),
        ("# allow READ05 until 2027-01-01: because", 1),
        ("# allow READ05 until soon: " + REASON, 1),
        ("# allow READ05 until 2027-02-31: " + REASON, 1),
        ("# allow READ05 until 2026-11-24: " + REASON, 1),
        ("# allow NONE05 until 2027-01-01: " + REASON, 1),
    ],
)
def test_waivers_that_do_not_count_are_findings(waiver: str, line: int) -> None:
    assert findings(f"{waiver}\na: yes\n") == [f"{line}: WAIVER", "2: READ05"]


def test_unused_waiver_is_a_finding() -> None:
    assert findings(f"# allow READ05 until 2027-01-01: {REASON}\na: 'yes'\n") == ["1: WAIVER"]


def test_a_waiver_is_for_its_own_line() -> None:
    assert findings(f"# allow READ05 until 2027-01-01: {REASON}\na: 1\nb: yes\n") == [
        "1: WAIVER",
        "3: READ05",
    ]
