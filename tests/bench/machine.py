"""What every result says about where and when it was measured."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ci.settings import ROOT

RESULTS = Path(__file__).parent / "results"


def described() -> dict[str, Any]:
    """Return time, machine and commit."""
    return {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cores": os.cpu_count(), "system": platform.platform()},
        "revision": out("git", "-C", str(ROOT), "rev-parse", "HEAD"),
    }


def out(*argv: str) -> str:
    """Run a program that must succeed; return what it printed."""
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()
