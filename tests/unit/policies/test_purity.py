"""Policies touch the disk in one module, run nothing, and know nothing of the tests."""

import ast
from pathlib import Path

import policies

HERE = Path(policies.__file__).parent
FORBIDDEN = {
    "open",
    "read_text",
    "read_bytes",
    "write_text",
    "write_bytes",
    "glob",
    "rglob",
    "exists",
    "is_file",
    "is_dir",
}
MODULES = {
    "os",
    "subprocess",
    "socket",
    "shutil",
    "tempfile",
    "httpx",
    "requests",
    "boto3",
    "docker",
    "kubernetes",
    "tests",
}


def test_only_the_loader_reads() -> None:
    found = set()
    for path in HERE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            called = node.func if isinstance(node, ast.Call) else None
            name = getattr(called, "attr", getattr(called, "id", None))
            if name in FORBIDDEN:
                found.add(path.relative_to(HERE).as_posix())
            imported = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            imported += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if {each.partition(".")[0] for each in imported} & MODULES:
                found.add(path.relative_to(HERE).as_posix())
    assert found == {"loader.py"}
