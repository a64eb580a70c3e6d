"""Each linter really runs, and what it says has a place."""

import pytest

from ci.validate import linters, secrets
from tests.unit.ci.validate.conftest import Plant

WORKFLOW = """\
on: push
permissions: {}
jobs:
  a:
    runs-on: ubuntu-24.04
    steps:
    - uses: actions/checkout@v4
    - run: echo "${{ github.event.head_commit.message }}" "${{ nothing.here }}"
"""
TEMPLATE = """\
Resources:
  Bucket:
    Type: AWS::S3::Bucket
    Properties:
      BucketNam: a
"""


def test_cfn_lint(plant: Plant) -> None:
    findings, kept = linters.cfn_lint(plant({"infra/templates/a.yaml": TEMPLATE}))
    assert [(str(each.position), each.id) for each in findings] == [("infra/templates/a.yaml:5:7", "E3002")]
    assert kept is False
    assert linters.cfn_lint(plant({}))[1] is True


def test_actionlint(plant: Plant) -> None:
    findings, _ = linters.actionlint(plant({".github/workflows/a.yml": WORKFLOW}))
    assert {each.position.line for each in findings} == {8}
    assert all(each.id == "actionlint:expression" for each in findings)


def test_zizmor(plant: Plant) -> None:
    findings, _ = linters.zizmor(plant({".github/workflows/a.yml": WORKFLOW}))
    found = {(each.position.line, each.id) for each in findings}
    assert {(7, "zizmor:unpinned-uses"), (7, "zizmor:artipacked"), (8, "zizmor:template-injection")} <= found


def test_hadolint(plant: Plant) -> None:
    findings, _ = linters.hadolint(plant({"app/Dockerfile": "FROM debian\nRUN sudo true\n"}))
    assert {(each.position.line, each.id) for each in findings} == {(1, "DL3006"), (2, "DL3004")}


@pytest.mark.parametrize(
    "line",
    [
        "-----BEGIN RSA PRIVATE KEY-----",  # pragma: allowlist secret
        "key = 'AKIA" + "ABCDEFGHIJKLMNOP'",
        "url: https://someone:" + "hunter2@example.com",
        "token: ghp_" + "a1B2" * 9,
    ],
    ids=["key", "aws", "url", "github"],
)
def test_secrets(plant: Plant, line: str) -> None:
    (finding,), _ = secrets.check(plant({"docs/a.md": f"words\n{line}\n"}))
    assert (finding.position.file, finding.position.line, finding.id) == ("docs/a.md", 2, "SECRET")


def test_secrets_that_are_examples(plant: Plant) -> None:
    tree = plant({"docs/a.md": "key = 'AKIA" + "ABCDEFGHIJKLMNOP'  # pragma: allowlist secret\n"})
    assert secrets.check(tree) == ([], False)
    assert secrets.check(tree) == ([], True)
