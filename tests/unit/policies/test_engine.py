"""Discovery, failing rules and formats."""

import json
from datetime import date
from types import ModuleType

import pytest

from policies import engine
from policies.finding import Finding, Position
from policies.formats import render
from policies.model.system import System
from policies.rule import DuplicateRule, Found, Rule, collect, discover
from policies.sources import Sources

TODAY = date(2026, 11, 25)
FINDING = Finding(Position("a,b.yaml", 3, 7), "SAFE01", "50% wrong\nhere", "It matters.", "Change it.")


def module(identity: str) -> ModuleType:
    made = ModuleType(f"rule_{identity}")
    vars(made).update(
        ID=identity, TITLE="T", WHY="W.", FIX="F.", GOOD={}, BAD={}, check=lambda system: iter(())
    )
    return made


def test_duplicate_id_is_an_error() -> None:
    with pytest.raises(DuplicateRule, match="SAFE01 is taken"):
        collect([module("SAFE01"), module("SAFE01")])


def test_unknown_family_is_an_error() -> None:
    with pytest.raises(DuplicateRule):
        collect([module("NONE01")])


def test_there_are_at_least_35_rules_beside_those_on_reading() -> None:
    assert len([rule for rule in discover() if rule.family != "READ"]) >= 35


def test_a_rule_that_fails_is_a_finding() -> None:
    def check(system: System) -> Found:
        raise KeyError("spec")
        yield

    rule = Rule("SAFE01", "T", "W.", "F.", {}, {}, check)
    (found,) = engine.check(System(Sources({}), {}), TODAY, [rule])
    assert (found.id, found.message) == ("RULE", "rule SAFE01 could not judge this tree: KeyError: 'spec'")


def test_text() -> None:
    assert render([FINDING], "text").splitlines() == [
        "a,b.yaml:3:7: SAFE01 50% wrong", "here", "  why: It matters.", "  fix: Change it.",
    ]  # fmt: skip
    assert render([], "text") == ""


def test_github() -> None:
    assert render([FINDING], "github") == (
        "::error file=a%2Cb.yaml,line=3,col=7,title=SAFE01::50%25 wrong%0Ahere. Change it."
    )


def test_json() -> None:
    assert json.loads(render([FINDING], "json")) == [
        {
            "file": "a,b.yaml", "line": 3, "column": 7, "part": "policies", "id": "SAFE01",
            "message": "50% wrong\nhere", "why": "It matters.", "fix": "Change it.",
        }
    ]  # fmt: skip
    assert json.loads(render([], "json")) == []


def test_sarif() -> None:
    run = json.loads(render([FINDING], "sarif"))["runs"][0]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["SAFE01"]
    (result,) = run["results"]
    assert result["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "a,b.yaml", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 3, "startColumn": 7},
    }
