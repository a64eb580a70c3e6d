"""Every rule is silent on its good case and speaks on its bad one, at a place in that case."""

import pytest

from policies.cases import RENDERED, build
from policies.rule import FAMILIES, Case, Rule, discover

RULES = discover()
by_id = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)


def places(case: Case) -> set[str]:
    """The files that a finding may name."""
    folders = {name.removeprefix(RENDERED).partition("/")[2] for name in case if name.startswith(RENDERED)}
    return {name for name in case if not name.startswith(RENDERED)} | folders


@by_id
def test_good_case_is_silent(rule: Rule) -> None:
    assert [str(finding) for finding in rule.ask(build(rule.good))] == []


@by_id
def test_bad_case_is_found_in_its_files(rule: Rule) -> None:
    found = list(rule.ask(build(rule.bad)))
    assert found
    assert {finding.id for finding in found} == {rule.id}
    for finding in found:
        assert any(finding.position.file.startswith(place) for place in places(rule.bad)), finding


@by_id
def test_texts_are_sentences(rule: Rule) -> None:
    assert rule.title[0].isupper()
    assert not rule.title.endswith(".")
    assert rule.why.endswith(".")
    assert rule.fix.endswith(".")


def test_every_family_has_rules() -> None:
    assert {rule.family for rule in RULES} == set(FAMILIES)
