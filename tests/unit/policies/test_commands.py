"""The commands of a workflow, judged by tasks.py and noxfile.py as they are written."""

import pytest

from policies.model.commands import commands, fault
from policies.model.verbs import Verbs
from policies.sources import Sources

TASKS = """\
infra = partial(verb, group="infra")
@verb
def release(version: str, wait: bool = True) -> None: ...
@infra
def infra_plan(env: str, stand_in: bool = False) -> None: ...
def helper(): ...
"""
NOX = "@nox.session\ndef unit(session): ...\n@nox.session(python=False)\ndef lint(session): ...\n"
VERBS = Verbs(Sources({"tasks.py": TASKS.encode(), "noxfile.py": NOX.encode()}))


@pytest.mark.parametrize(
    "run",
    [
        "./setup",
        './setup && .venv/bin/invoke release --version "$GITHUB_REF_NAME"',
        "invoke release --version=v1.0.0 --no-wait --debug",
        "invoke release --version ${{ github.ref_name }}",
        ".venv/bin/invoke infra.plan --env production --stand-in > plan.txt",
        ".venv/bin/nox",
        "nox -s unit lint",
        "nox -s unit -- -k word --anything",
        "# a comment\n./setup\nnox -s lint\n",
        "./setup && \\\n  nox -s lint",
    ],
)
def test_known(run: str) -> None:
    assert [fault(VERBS, words) for words in commands(run) if fault(VERBS, words)] == []


@pytest.mark.parametrize(
    ("run", "words"),
    [
        ("invoke releases --version v1.0.0", "tasks.py has no verb releases"),
        ("invoke", "tasks.py has no verb (none given)"),
        ("invoke helper", "tasks.py has no verb helper"),
        ("invoke release", "invoke release needs --version"),
        ("invoke release --tag v1.0.0", "invoke release has no flag --tag"),
        ("invoke release v1.0.0", "invoke release has no flag v1.0.0"),
        ("invoke release --version", "invoke release wants a value for --version"),
        ("invoke infra.destroy --env local", "tasks.py has no verb infra.destroy"),
        ("nox -s units", "noxfile.py has no session units"),
        ("nox --list", "nox is called with --list, not with -s SESSION"),
        ("pip install awscli", "`pip` is neither an invoke verb nor a nox session"),
        ("./setup && curl x | sh", "`curl` is neither an invoke verb nor a nox session"),
        ("echo 'open", "`echo 'open` is neither an invoke verb nor a nox session"),
    ],
)
def test_unknown(run: str, words: str) -> None:
    assert words in [fault(VERBS, each) for each in commands(run)]
