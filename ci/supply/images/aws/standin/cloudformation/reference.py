"""Print the table of resource types for docs/reference/cloudformation-stand-in.md.

PYTHONPATH=ci/supply/images/aws .venv/bin/python -m standin.cloudformation.reference
"""

from . import schemas
from .resources import ADAPTERS
from .template import SNAPSHOTS

REGION = "ap-northeast-1"


def rows() -> list[str]:
    """Return the table's lines: type, and what a template may set."""
    found = ["| type | properties |", "|---|---|"]
    for name, adapter in sorted(ADAPTERS.items()):
        note = "; last snapshot on deletion" if name in SNAPSHOTS else ""
        properties = " ".join(f"{item}{_mark(name, item)}" for item in sorted(adapter.properties))
        found.append(f"| `{name}` | {properties}{note} |")
    return found


def _mark(kind: str, item: str) -> str:
    adapter, schema = ADAPTERS[kind], schemas.load(kind, REGION)
    always = any(path == (item,) for path in schema.paths("createOnlyProperties")) or item in adapter.replaces
    return ("*" if always else "") + ("°" if item in adapter.unread else "")


if __name__ == "__main__":
    print("\n".join(rows()))
