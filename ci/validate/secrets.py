"""Values that look like somebody's credential, with detect-secrets: tokens and keys by their own form.

Words beside `password` and strings that look random are left out: in this tree they are names of secrets, digests and
placeholders. Data in a Secret is rule KEYS05's. `# pragma: allowlist secret` marks an example.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ci import shell
from ci.validate.tree import Tree
from policies.finding import Finding, Position

PART = "detect-secrets"
PLUGINS = (
    "ArtifactoryDetector", "AWSKeyDetector", "AzureStorageKeyDetector", "BasicAuthDetector", "CloudantDetector",
    "DiscordBotTokenDetector", "GitHubTokenDetector", "GitLabTokenDetector", "JwtTokenDetector", "MailchimpDetector",
    "NpmDetector", "OpenAIDetector", "PrivateKeyDetector", "PypiTokenDetector", "SendGridDetector", "SlackDetector",
    "SquareOAuthDetector", "StripeDetector", "TelegramBotTokenDetector", "TwilioKeyDetector",
)  # fmt: skip
_HASHES = ("go.sum", ".lock")
"""Files of nothing but digests, which a tool writes and checks."""
EXCEPTIONS = {
    (
        "ci/supply/images/aws/standin/cloudformation/inprocess.py",
        "AWS Access Key",
    ): "a name inside one process",
}
"""What is left as it is, and why: a comment there would change an image's key and rebuild it."""
_LEFT_OUT = frozenset(
    {".git", ".venv", "__pycache__", "node_modules", ".mypy_cache", ".ruff_cache", ".pytest_cache"}
)
_WHY = "Who has read the repository, once, has the credential; a later commit does not take it back."
_FIX = "Revoke it, then keep it in Secrets Manager; mark an example with `# pragma: allowlist secret`."


def check(tree: Tree) -> tuple[list[Finding], bool]:
    """Scan every text file that git tracks; files that were scanned before are not read again."""
    memory = _Memory(tree.settings.cache / "validate" / f"{PART}-{version('detect-secrets')}.json")
    names = list(_files(tree.root))
    digests = {name: _digest(tree.root / name) for name in names}
    fresh = [name for name in names if digests[name] not in memory.known]
    if fresh:
        memory.learn((digests[name], found) for name, found in _scan(tree.root, fresh))
    findings = [
        Finding(Position(name, line), "SECRET", f"this looks like a credential ({kind})", _WHY, _FIX, PART)
        for name in names
        for line, kind in memory.known.get(digests[name], ())
        if (name, kind) not in EXCEPTIONS
    ]
    return findings, not fresh


class _Memory:
    """Digest of a file to what was found in it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self.known: dict[str, list[Any]] = json.loads(path.read_bytes())
        except (OSError, ValueError):
            self.known = {}

    def learn(self, found: Iterable[tuple[str, list[Any]]]) -> None:
        self.known.update(found)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_suffix(".part")
        draft.write_text(json.dumps(self.known))
        draft.replace(self._path)


def _files(root: Path) -> Iterator[str]:
    if (root / ".git").exists():
        listed = shell.run(
            "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=root
        ).out
        names: Iterable[str] = filter(None, listed.split("\0"))
    else:
        names = (path.relative_to(root).as_posix() for path in sorted(root.rglob("*")))
    for name in names:
        path = root / name
        if not name.endswith(_HASHES) and not _LEFT_OUT & set(Path(name).parts) and path.is_file():
            yield name


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:32]


def _scan(root: Path, names: list[str]) -> Iterator[tuple[str, list[Any]]]:
    # Slow to import, and not needed where nothing changed.
    from detect_secrets.core.scan import scan_file
    from detect_secrets.settings import transient_settings

    chosen = {
        "plugins_used": [{"name": name} for name in PLUGINS],
        "filters_used": [{"path": "detect_secrets.filters.allowlist.is_line_allowlisted"}],
    }
    with transient_settings(chosen):
        for name in names:
            yield name, sorted([each.line_number, each.type] for each in scan_file(str(root / name)))
