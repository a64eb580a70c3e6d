"""What `invoke` and `nox` offer, read from tasks.py and noxfile.py without running them."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from policies.sources import Sources

TASKS, NOXFILE = "tasks.py", "noxfile.py"


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag of a verb; a switch takes no value."""

    name: str
    switch: bool
    required: bool


class Verbs:
    """The verbs of tasks.py and the sessions of noxfile.py."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    @cached_property
    def verbs(self) -> Mapping[str, tuple[Flag, ...]]:
        """Verb to its flags, as typed: with dashes."""
        found = self._decorated(TASKS, "verb")
        return {each.name.replace("_", "-"): tuple(_flags(each.args)) for each in found}

    @cached_property
    def sessions(self) -> frozenset[str]:
        """The names of nox's sessions."""
        return frozenset(each.name for each in self._decorated(NOXFILE, "session"))

    def _decorated(self, file: str, name: str) -> Iterator[ast.FunctionDef]:
        try:
            tree = ast.parse(self._sources.text(file))
        except SyntaxError:  # ruff says where
            return
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and any(_name(each) == name for each in node.decorator_list):
                yield node


def _name(decorator: ast.expr) -> str:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return str(getattr(called, "id", getattr(called, "attr", "")))


def _flags(arguments: ast.arguments) -> Iterator[Flag]:
    every = [*arguments.args, *arguments.kwonlyargs]
    plain = [None] * (len(arguments.args) - len(arguments.defaults)) + list(arguments.defaults)
    for argument, default in zip(every, [*plain, *arguments.kw_defaults], strict=True):
        switch = (
            "bool" in ast.dump(argument.annotation).replace("'", " ").split()
            if argument.annotation
            else False
        )
        on = isinstance(default, ast.Constant) and default.value is True
        name = argument.arg.replace("_", "-")
        yield Flag(name, switch, default is None)
        if switch and on:
            yield Flag(f"no-{name}", True, False)
    yield Flag("debug", True, False)
