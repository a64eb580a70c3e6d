"""A developer's clone of the repository: changes are committed there and released from there."""

import subprocess
from pathlib import Path

from ci.settings import ROOT

_REVISIONS = Path("app/migration/revisions")
_FILE = '''"""{title}"""

from alembic import op

revision = "{revision}"
down_revision = "{parent}"


def upgrade() -> None:
    """Do it."""
    op.execute({statement!r})
'''


class Checkout:
    """One clone with one history: later tests build on what earlier ones released, as a team does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.git("clone", "--quiet", str(ROOT), str(folder), cwd=ROOT)

    def git(self, *argv: str, cwd: Path | None = None) -> str:
        who = ("-c", "user.name=Developer", "-c", "user.email=developer@slipway.invalid")
        done = subprocess.run(
            ["git", *who, *argv], cwd=cwd or self.folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"git {' '.join(argv)}: {done.stderr}"
        return done.stdout.strip()

    def commit(self, message: str) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        return self.git("rev-parse", "HEAD")

    def add_revision(self, title: str, statement: str) -> str:
        """Commit a schema revision after the last one, and return its id."""
        names = sorted(path.name for path in (self.folder / _REVISIONS).glob("[0-9]*.py"))
        parent = names[-1][:4]
        revision = f"{int(parent) + 1:04}"
        text = _FILE.format(title=title, revision=revision, parent=parent, statement=statement)
        (self.folder / _REVISIONS / f"{revision}_{title.replace(' ', '_')}.py").write_text(text)
        self.commit(f"schema {revision}: {title}")
        return revision

    def revert(self) -> str:
        """Undo the last commit by a new one."""
        self.git("revert", "--no-edit", "HEAD")
        return self.git("rev-parse", "HEAD")

    def touch(self, words: str) -> str:
        """Commit a change of the app that changes nothing: a release needs no more."""
        with (self.folder / "app" / "ledger" / "__init__.py").open("a") as module:
            module.write(f"# {words}\n")
        return self.commit(words)
