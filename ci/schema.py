"""The schema revision that a source tree needs, read without a database."""

import ast
from dataclasses import dataclass
from pathlib import Path

from ci.problem import Problem

REVISIONS = Path("app/migration/revisions")


@dataclass(frozen=True, slots=True)
class Revision:
    """One file of the migration: its id and the revisions it builds on."""

    path: Path
    id: str
    parents: tuple[str, ...]


def head(source: Path) -> str:
    """Return the one Alembic head below `source`, the root of a checkout.

    The files are parsed and never run. Raises Problem when there is no head or more than one, when
    an id is used twice, or when a revision builds on one that does not exist.
    """
    folder = source / REVISIONS
    revisions = [_parse(path) for path in sorted(folder.glob("*.py")) if path.name != "__init__.py"]
    if not revisions:
        raise Problem(f"{folder} has no schema revision", fix="check out the whole repository")
    by_id = {revision.id: revision for revision in revisions}
    for revision in revisions:
        if by_id[revision.id] is not revision:
            raise Problem(
                f"schema revision '{revision.id}' exists twice: {revision.path.name} and"
                f" {by_id[revision.id].path.name}",
                fix=f"give one of them a new id, and its down_revision the other: {folder}",
            )
        for parent in revision.parents:
            if parent not in by_id:
                raise Problem(
                    f"schema revision '{revision.id}' builds on '{parent}', which does not exist",
                    fix=f"correct down_revision in {revision.path}",
                )
    built_on = {parent for revision in revisions for parent in revision.parents}
    heads = [revision.id for revision in revisions if revision.id not in built_on]
    if len(heads) != 1:
        raise Problem(
            f"the schema has {len(heads)} heads: {', '.join(heads) or 'the revisions form a circle'}",
            fix="let the newer revision's down_revision name the older one",
        )
    return heads[0]


def _parse(path: Path) -> Revision:
    try:
        tree = ast.parse(path.read_text(), filename=str(path))
    except SyntaxError as problem:
        raise Problem(f"{path}:{problem.lineno}: {problem.msg}", fix="correct the file") from None
    names = {
        target.id: statement.value
        for statement in tree.body
        for target in _targets(statement)
        if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None
    }
    try:
        revision = ast.literal_eval(names["revision"])
        parents = ast.literal_eval(names["down_revision"])
    except (KeyError, ValueError):
        raise Problem(
            f"{path.name} does not state its revision",
            fix=f"write `revision` and `down_revision` as plain strings in {path}",
        ) from None
    return Revision(path, str(revision), _as_tuple(parents))


def _targets(statement: ast.stmt) -> list[ast.Name]:
    if isinstance(statement, ast.Assign):
        return [target for target in statement.targets if isinstance(target, ast.Name)]
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return [statement.target]
    return []


def _as_tuple(parents: object) -> tuple[str, ...]:
    if parents is None:
        return ()
    return tuple(map(str, parents)) if isinstance(parents, tuple | list) else (str(parents),)
