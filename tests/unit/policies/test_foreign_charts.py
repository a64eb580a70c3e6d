"""What a chart of a chart repository renders is judged by what this repository decides of it."""

import base64

from policies.cases import build
from policies.rule import discover
from policies.rules.keys import in_git
from policies.rules.wire import excess

CHART = "https://charts.example#thing"
APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: thing, namespace: argocd}
spec:
  source: {repoURL: https://charts.example, chart: thing, targetRevision: 1.2.3, helm: {valuesObject: {password: hunter2}}}
  destination: {namespace: main}
"""
SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: main}\ndata: {key: %s}\n"


def findings(rule: str, case: dict[str, str]) -> list[str]:
    (found,) = (each for each in discover() if each.id == rule)
    return [each.message for each in found.ask(build({"rendered/local/gitops/apps": APPLICATION, **case}))]


def secret(value: str) -> dict[str, str]:
    return {f"rendered/local/{CHART}": SECRET % base64.b64encode(value.encode()).decode()}


def test_a_secret_that_the_chart_generates_is_in_no_repository() -> None:
    assert findings(in_git.ID, secret("generated")) == []


def test_a_secret_with_a_value_from_git_is_found() -> None:
    assert findings(in_git.ID, secret("hunter2")) == ["Secret a has data in git"]


def test_what_a_charts_account_needs_of_aws_no_rule_knows() -> None:
    ours = {name: text for name, text in excess.BAD.items() if name != "rendered/local/gitops/main"}
    account = excess.BAD["rendered/local/gitops/main"].partition("---\n")[0]
    assert findings(excess.ID, {**ours, "rendered/local/gitops/main": account}) != []
    assert findings(excess.ID, {**ours, f"rendered/local/{CHART}": account}) == []
