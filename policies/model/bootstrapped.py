"""Objects that bootstrap applies by itself, because their data is not in git: read from its source."""

import ast

from policies.sources import Sources


def names(sources: Sources) -> frozenset[str]:
    """Names in the metadata of object literals in ci/."""
    found: set[str] = set()
    for file in sources.under("ci", ".py"):
        text = sources.text(file)
        if '"metadata"' not in text:
            continue
        try:
            tree = ast.parse(text)
        except SyntaxError:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Dict) and _value(node, "metadata") is not None:
                name = _value(_value(node, "metadata"), "name")
                if isinstance(name, ast.Constant) and isinstance(name.value, str):
                    found.add(name.value)
    return frozenset(found)


def _value(node: ast.expr | None, key: str) -> ast.expr | None:
    if isinstance(node, ast.Dict):
        for name, value in zip(node.keys, node.values, strict=True):
            if isinstance(name, ast.Constant) and name.value == key:
                return value
    return None
