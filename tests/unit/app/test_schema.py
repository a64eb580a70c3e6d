from pathlib import Path

import pytest

from ci import schema
from ci.problem import Problem


def _source(root: Path, **revisions: str) -> Path:
    folder = root / schema.REVISIONS
    folder.mkdir(parents=True)
    for name, text in revisions.items():
        (folder / f"{name}.py").write_text(text)
    return root


def _revision(id: str, parent: str | None) -> str:
    return f'"""x"""\nrevision = {id!r}\ndown_revision = {parent!r}\nraise RuntimeError("must not run")\n'


def test_head_of_this_repository() -> None:
    root = Path(__file__).resolve().parents[3]
    newest = max((root / schema.REVISIONS).glob("*.py"))
    assert schema.head(root) == newest.name.split("_")[0]


def test_head_is_what_nothing_builds_on(tmp_path: Path) -> None:
    source = _source(tmp_path, z=_revision("1", None), a=_revision("2", "1"), m=_revision("3", "2"))
    assert schema.head(source) == "3"


def test_annotated_and_merging_revisions(tmp_path: Path) -> None:
    merge = 'revision: str = "4"\ndown_revision: tuple[str, ...] = ("2", "3")\n'
    source = _source(tmp_path, a=_revision("1", None), b=_revision("2", "1"), c=_revision("3", "1"), d=merge)
    assert schema.head(source) == "4"


@pytest.mark.parametrize(
    ("revisions", "what"),
    [
        ({}, "has no schema revision"),
        ({"a": _revision("1", None), "b": _revision("2", "1"), "c": _revision("3", "1")},
         "the schema has 2 heads: 2, 3"),
        ({"a": _revision("1", "2"), "b": _revision("2", "1")},
         "the schema has 0 heads: the revisions form a circle"),
        ({"a": _revision("1", None), "b": _revision("1", None)},
         "schema revision '1' exists twice: a.py and b.py"),
        ({"a": _revision("2", "1")}, "schema revision '2' builds on '1', which does not exist"),
        ({"a": "revision = str(1)\ndown_revision = None\n"}, "a.py does not state its revision"),
        ({"a": "revision = '1'\n"}, "a.py does not state its revision"),
        ({"a": "revision = \n"}, "a.py:1: invalid syntax"),
    ],
)  # fmt: skip
def test_problem(tmp_path: Path, revisions: dict[str, str], what: str) -> None:
    with pytest.raises(Problem) as problem:
        schema.head(_source(tmp_path, **revisions))
    assert problem.value.what.endswith(what)
    assert problem.value.fix
