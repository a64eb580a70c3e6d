"""Alembic's environment: the caller's connection, one transaction per revision, and its record."""

from collections.abc import Collection, Mapping
from typing import Any

from alembic import context
from alembic.runtime.migration import MigrationContext, MigrationInfo
from sqlalchemy import text


def record(
    ctx: MigrationContext, step: MigrationInfo, heads: Collection[Any], run_args: Mapping[str, Any]
) -> None:
    """Write the revision into schema_revisions, in the transaction that applies it.

    The app's readiness reads this table, where every applied revision stays; Alembic's own
    keeps only the newest.
    """
    assert ctx.connection is not None
    ctx.connection.execute(
        text("INSERT INTO schema_revisions (revision) VALUES (:revision)"),
        {"revision": step.up_revision_id},
    )


context.configure(
    connection=context.config.attributes["connection"],
    transaction_per_migration=True,
    on_version_apply=record,
)
with context.begin_transaction():
    context.run_migrations()
