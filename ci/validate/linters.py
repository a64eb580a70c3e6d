"""The linters of others, each with its own program; what they say becomes findings of ours."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ci import shell, supply
from ci.validate.tree import Tree
from policies.finding import Finding, Position

_SECONDS = 300.0
WORKFLOWS = ".github/workflows"
UNPINNED = ("DL3008",)
"""Rules of hadolint that cannot hold: Debian keeps one version of a package, so a pinned one vanishes."""
EXCEPTIONS = {
    ("ci/supply/images/argocd/Dockerfile", "DL3003"): "one `cd` within a RUN, for links beside each other",
    ("ci/supply/images/node/Dockerfile", "DL4006"): "the pipe's first program cannot fail unseen there",
}
"""What is left as it is, and why: a comment in the file would change the image's key and rebuild it."""

Data = list[dict[str, Any]]


def cfn_lint(tree: Tree) -> tuple[list[Finding], bool]:
    """CloudFormation templates, with cfn-lint."""
    names = tree.paths(".yaml", under="infra/templates/")
    return _run(tree, "cfn-lint", names, _cfn_lint)


def actionlint(tree: Tree) -> tuple[list[Finding], bool]:
    """Workflows, with actionlint."""
    return _run(tree, "actionlint", tree.paths(".yml", ".yaml", under=WORKFLOWS), _actionlint)


def zizmor(tree: Tree) -> tuple[list[Finding], bool]:
    """Workflows' security, with zizmor, offline."""
    return _run(tree, "zizmor", tree.paths(".yml", ".yaml", under=WORKFLOWS), _zizmor)


def hadolint(tree: Tree) -> tuple[list[Finding], bool]:
    """Dockerfiles, with hadolint."""
    return _run(tree, "hadolint", tree.paths("Dockerfile"), _hadolint)


def _run(tree: Tree, part: str, names: list[str], ask: Any) -> tuple[list[Finding], bool]:
    """Ask a linter about files, unless it has seen these contents."""
    if not names:
        return [], True
    data, kept = tree.kept(part, [repr(UNPINNED), *tree.contents(names)], lambda: list(ask(tree, names)))
    found = [
        Finding(Position(*each["at"]), each["id"], each["message"], fix=each["fix"], part=part)
        for each in data
    ]
    return found, kept


def _cfn_lint(tree: Tree, names: list[str]) -> Iterator[dict[str, Any]]:
    program = Path(sys.executable).with_name("cfn-lint")
    # Exit codes are a sum of levels: 2 errors, 4 warnings, 8 informational.
    done = shell.run(
        str(program), "--format", "json", *names, cwd=tree.root, ok=tuple(range(16)), timeout=_SECONDS
    )
    for each in json.loads(done.out or "[]"):
        start, rule = each["Location"]["Start"], each["Rule"]
        place = (each["Filename"], start["LineNumber"], start["ColumnNumber"])
        yield _data(place, rule["Id"], each["Message"], f"See {rule['Source']}.")


def _actionlint(tree: Tree, names: list[str]) -> Iterator[dict[str, Any]]:
    program = supply.tool(tree.settings, "actionlint")
    # No shellcheck, no pyflakes: scripts in workflows are one verb long (FLOW04).
    done = shell.run(
        str(program), "-format", "{{json .}}", "-shellcheck", "", "-pyflakes", "", *names,
        cwd=tree.root, ok=(0, 1), timeout=_SECONDS,
    )  # fmt: skip
    for each in json.loads(done.out or "[]") or []:
        place = (each["filepath"], each["line"], each["column"])
        yield _data(place, f"actionlint:{each['kind']}", each["message"], "")


def _zizmor(tree: Tree, names: list[str]) -> Iterator[dict[str, Any]]:
    program = Path(sys.executable).with_name("zizmor")
    done = shell.run(
        str(program), "--offline", "--no-progress", "--no-exit-codes", "--format", "json-v1", *names,
        cwd=tree.root, timeout=_SECONDS,
    )  # fmt: skip
    for each in json.loads(done.out or "[]"):
        primary = next(spot for spot in each["locations"] if spot["symbolic"]["kind"] == "Primary")
        start = primary["concrete"]["location"]["start_point"]
        file = primary["symbolic"]["key"]["Local"]["verbatim_path"]
        message = f"{each['desc']}: {primary['symbolic']['annotation']}"
        if not each["ignored"]:
            yield _data(
                (file, start["row"] + 1, start["column"] + 1),
                f"zizmor:{each['ident']}",
                message,
                f"See {each['url']}.",
            )


def _hadolint(tree: Tree, names: list[str]) -> Iterator[dict[str, Any]]:
    program = Path(sys.executable).with_name("hadolint")
    ignored = [word for rule in UNPINNED for word in ("--ignore", rule)]
    done = shell.run(
        str(program), "--no-fail", "--format", "json", *ignored, *names, cwd=tree.root, timeout=_SECONDS
    )
    for each in json.loads(done.out or "[]"):
        if (each["file"], each["code"]) not in EXCEPTIONS:
            place = (each["file"], each["line"], each["column"])
            yield _data(
                place,
                each["code"],
                each["message"],
                f"See https://github.com/hadolint/hadolint/wiki/{each['code']}.",
            )


def _data(place: tuple[str, int, int], name: str, message: str, fix: str) -> dict[str, Any]:
    return {"at": list(place), "id": name, "message": message, "fix": fix}
