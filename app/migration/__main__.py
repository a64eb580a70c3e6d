"""`python -m migration`: what the Job runs."""

import os
import sys

from migration import settings
from migration.database import Session
from migration.journal import Journal
from migration.report import reporter
from migration.supervisor import supervise
from migration.upgrade import upgrade


def main() -> int:
    """Run the migration and return the exit code."""
    try:
        chosen = settings.load()
    except settings.Unusable as problem:
        print(f"error: {problem}\n  fix: set it in the image or in the Job's environment", file=sys.stderr)
        return 1
    journal = Journal(chosen.version)
    session = Session(chosen, journal)
    journal.say(f"eks-migration {chosen.version}")
    return supervise(lambda: upgrade(session), session.cancel, journal, reporter(), chosen.deadline)


code = main()
sys.stdout.flush()
# Not sys.exit: a migration that hangs holds its thread, and the process would wait for it.
os._exit(code)
