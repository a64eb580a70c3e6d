"""Findings as text for people, as GitHub's annotations, as JSON and as SARIF."""

import json
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from policies.finding import Finding

FORMATS = ("text", "github", "json", "sarif")
_SARIF = "https://json.schemastore.org/sarif-2.1.0.json"


def render(findings: Sequence[Finding], form: str) -> str:
    """Return all findings in one of FORMATS; text is empty where there are none."""
    if form == "github":
        return "\n".join(map(_annotation, findings))
    if form == "json":
        return json.dumps([_plain(finding) for finding in findings], indent=1)
    if form == "sarif":
        return json.dumps(_sarif(findings), indent=1)
    return "\n\n".join(_group(list(group)) for _, group in groupby(findings, lambda each: each.id))


def _group(findings: list[Finding]) -> str:
    first = findings[0]
    advice = [f"  why: {first.why}"] * bool(first.why) + [f"  fix: {first.fix}"] * bool(first.fix)
    return "\n".join([*map(str, findings), *advice])


def _annotation(finding: Finding) -> str:
    place = finding.position
    head = f"file={_property(place.file)},line={place.line},col={place.column},title={_property(finding.id)}"
    return f"::error {head}::{_data(f'{finding.message}. {finding.fix}'.strip())}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _plain(finding: Finding) -> dict[str, Any]:
    place = finding.position
    return {
        "file": place.file, "line": place.line, "column": place.column, "part": finding.part,
        "id": finding.id, "message": finding.message, "why": finding.why, "fix": finding.fix,
    }  # fmt: skip


def _sarif(findings: Sequence[Finding]) -> dict[str, Any]:
    rules = {finding.id: finding for finding in findings}
    driver = {
        "name": "slipway-validate",
        "rules": [
            {
                "id": name,
                "shortDescription": {"text": rule.why or name},
                "help": {"text": rule.fix or rule.message},
            }
            for name, rule in sorted(rules.items())
        ],
    }
    results = [
        {
            "ruleId": finding.id,
            "level": "error",
            "message": {"text": finding.message},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": finding.position.file, "uriBaseId": "%SRCROOT%"},
                        "region": {
                            "startLine": finding.position.line,
                            "startColumn": finding.position.column,
                        },
                    }
                }
            ],
        }
        for finding in findings
    ]
    return {
        "$schema": _SARIF,
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}],
    }
