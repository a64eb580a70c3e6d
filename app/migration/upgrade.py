"""From the revision the database has to the one this image carries, one transaction each."""

from collections.abc import Sequence
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from migration.database import Session
from migration.supervisor import Stop

REVISIONS = Path(__file__).parent / "revisions"

_BUSY = {"55P03": "lock timeout", "40P01": "deadlock"}
"""SQLSTATEs that are worth another try."""


def configuration(revisions: Path = REVISIONS) -> Config:
    """Return Alembic's configuration; there is no alembic.ini."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("version_locations", str(revisions).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    return config


def upgrade(session: Session, revisions: Path = REVISIONS) -> str:
    """Bring the database to this image's head and return the last words.

    Raises Stop when that is not possible; what was applied before stays, each revision whole.
    """
    journal = session.journal
    script = ScriptDirectory.from_config(configuration(revisions))
    heads = script.get_heads()
    if len(heads) != 1:
        raise Stop(f"this image has {len(heads)} schema heads, not one: {', '.join(heads)}")
    journal.say("connecting to the database")
    with session.connect() as connection:
        session.take_turn(connection)
        present = _present(connection)
        journal.revision = ", ".join(present) or None
        if unknown := [revision for revision in present if not _knows(script, revision)]:
            return _older_image(connection, unknown[0], heads[0])
        plan = list(script.iterate_revisions(heads[0], "base"))[::-1]
        plan = plan[_done(plan, present) :]
        if not plan:
            return f"the database is at {heads[0]}, nothing to do"
        for step in plan:
            _apply(session, connection, step, revisions)
        return f"the database is at {heads[0]}, {len(plan)} revision(s) applied"


def _apply(session: Session, connection: Connection, step: Script, revisions: Path) -> None:
    """Apply one revision; when a table is in use, back off and try again."""
    config = configuration(revisions)
    config.attributes["connection"] = connection
    tries = session.settings.lock_tries
    for attempt in range(1, tries + 1):
        note = f" (try {attempt} of {tries})" if attempt > 1 else ""
        session.journal.say(f"applying {step.revision}, {step.doc}{note}")
        try:
            command.upgrade(config, step.revision)
        except DBAPIError as problem:
            busy = _BUSY.get(getattr(problem.orig, "sqlstate", None) or "")
            words = " ".join(str(problem.orig).split())
            if busy is None or attempt == tries or session.stopping.is_set():
                raise Stop(f"revision {step.revision} failed and is rolled back: {words}") from problem
            session.journal.say(f"{busy} in {step.revision}: {words}")
            session.stopping.wait(min(8.0, 0.5 * 2**attempt))
        except Exception as problem:
            words = f"{type(problem).__name__}: {problem}"
            raise Stop(f"revision {step.revision} failed and is rolled back: {words}") from problem
        else:
            session.journal.revision = step.revision
            return


def _present(connection: Connection) -> Sequence[str]:
    present = MigrationContext.configure(connection).get_current_heads()
    connection.rollback()
    return present


def _knows(script: ScriptDirectory, revision: str) -> bool:
    return any(known.revision == revision for known in script.walk_revisions())


def _done(plan: Sequence[Script], present: Sequence[str]) -> int:
    """Return how many steps of `plan` are applied when the database is at `present`."""
    return max((index + 1 for index, step in enumerate(plan) if step.revision in present), default=0)


def _older_image(connection: Connection, present: str, head: str) -> str:
    """Return the last words of a rollback: a newer schema serves the older version too."""
    applied = inspect(connection).has_table("schema_revisions") and connection.scalar(
        text("SELECT true FROM schema_revisions WHERE revision = :head"), {"head": head}
    )
    if not applied:
        raise Stop(
            f"the database is at {present}, which this image does not know, and {head}, which this"
            " image needs, was never applied; release a version that has both"
        )
    return f"the database is ahead at {present}; this image needs {head}, which is applied: nothing to do"
