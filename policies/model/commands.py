"""The commands of a workflow's `run`, and whether tasks.py and noxfile.py know them."""

import re
import shlex
from collections.abc import Iterator

from policies.model.verbs import Verbs

_EXPRESSION = re.compile(r"\$\{\{.*?\}\}")
_PREFIXES = ("", ".venv/bin/", "./.venv/bin/")
SETUP = ("./setup", ".ci/run")
"""What makes the environment that verbs and sessions run in."""


def commands(run: str) -> Iterator[list[str]]:
    """The commands of a script, as words; expressions of GitHub count as one word."""
    text = _EXPRESSION.sub("EXPRESSION", run).replace("\\\n", " ")
    for line in text.splitlines():
        try:
            words = shlex.split(line, comments=True)
        except ValueError:
            yield [line]
            continue
        current: list[str] = []
        skipped = False
        for word in words:
            if skipped:
                skipped = False
            elif word in (">", ">>"):
                skipped = True  # where the output goes is no flag
            elif word in ("&&", ";", "||", "|"):
                if current:
                    yield current
                current = []
            else:
                current.append(word)
        if current:
            yield current


def fault(verbs: Verbs, words: list[str]) -> str:
    """What is wrong with one command; empty where nothing is."""
    program = words[0]
    if program in SETUP:
        return ""
    for prefix in _PREFIXES:
        if program == f"{prefix}invoke":
            return _invoke(verbs, words[1:])
        if program == f"{prefix}nox":
            return _nox(verbs, words[1:])
    return f"`{program}` is neither an invoke verb nor a nox session"


def _invoke(verbs: Verbs, words: list[str]) -> str:
    name = words[0] if words else ""
    flags = {flag.name: flag for flag in verbs.verbs.get(name, ())}
    if not flags:
        return f"tasks.py has no verb {name or '(none given)'}"
    given: set[str] = set()
    rest = iter(words[1:])
    for word in rest:
        flag_name, equals, _ = word.removeprefix("--").partition("=")
        flag = flags.get(flag_name) if word.startswith("--") else None
        if flag is None:
            return f"invoke {name} has no flag {word}"
        given.add(flag_name)
        if not flag.switch and not equals and next(rest, None) is None:
            return f"invoke {name} wants a value for --{flag_name}"
    missing = [flag.name for flag in flags.values() if flag.required and flag.name not in given]
    return f"invoke {name} needs --{missing[0]}" if missing else ""


def _nox(verbs: Verbs, words: list[str]) -> str:
    own = words[: words.index("--")] if "--" in words else words
    if not own:
        return ""
    if own[0] not in ("-s", "--session", "-e") or len(own) < 2:
        return f"nox is called with {' '.join(own)}, not with -s SESSION"
    unknown = [name for name in own[1:] if name not in verbs.sessions]
    return f"noxfile.py has no session {unknown[0]}" if unknown else ""
