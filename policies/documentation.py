"""docs/policies.md, made from the rules."""

from collections.abc import Iterable, Iterator
from difflib import ndiff

from policies.rule import FAMILIES, Rule

_HEAD = """\
# Policies

Made by `.venv/bin/python -m ci.validate.documentation` from `policies/rules`; a test compares. Do not edit.

`.venv/bin/nox -s validate` asks these {count} rules about every environment. A finding names the place of the source,
although most rules judge what is rendered. To break a rule on purpose, write a waiver right above the line, or behind it:

    # allow SAFE05 until 2027-03-31: upstream's init container, which ends before anything is scheduled

A waiver without reason, after its day, of an unknown rule or that is not needed is a finding itself (`WAIVER`). A rule that
cannot judge the tree says so (`RULE`); a folder that does not render is `RENDER`; `SCHEMA` is kubeconform's,
`SECRET` is detect-secrets'. In an example, `-` is right and `+` is wrong, and `rendered/ENV/FOLDER` stands for what
FOLDER renders.
"""


def render(rules: Iterable[Rule]) -> str:
    """Return the page."""
    every = list(rules)
    table = ["| family | about | rules |", "|---|---|---|"]
    for family, about in FAMILIES.items():
        ids = [rule.id for rule in every if rule.family == family]
        table.append(f"| {family} | {about} | {ids[0]} to {ids[-1]} |")
    parts = [_HEAD.format(count=len(every)), "\n".join(table), *("\n".join(_rule(rule)) for rule in every)]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _rule(rule: Rule) -> Iterator[str]:
    yield f"## {rule.id}: {rule.title}\n"
    yield f"{rule.why}\n"
    yield f"**Fix:** {rule.fix}\n"
    yield "```diff"
    for name in dict.fromkeys((*rule.good, *rule.bad)):
        right, wrong = rule.good.get(name), rule.bad.get(name)
        yield f"  # {name}"
        for line in ndiff((right or "").splitlines(), (wrong or "").splitlines()):
            if not line.startswith("?"):
                yield line.replace("\0", "\\0").rstrip()
    yield "```"
