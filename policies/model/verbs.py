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
        """Verb to its flags, as typed: with dashes; `infra.plan` for a verb of a group."""
        groups = {"verb": "", **dict(self._groups())}
        found = {}
        for decorator, group in groups.items():
            for each in self._decorated(TASKS, decorator):
                name = each.name.removeprefix(f"{group}_") if group else each.name
                typed = name.replace("_", "-")
                found[f"{group}.{typed}" if group else typed] = tuple(_flags(each.args))
        return found

    @cached_property
    def sessions(self) -> frozenset[str]:
        """The names of nox's sessions."""
        return frozenset(each.name for each in self._decorated(NOXFILE, "session"))

    def _groups(self) -> Iterator[tuple[str, str]]:
        """Names that stand for `partial(verb, group=...)`."""
        for node in self._module(TASKS).body:
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
                for keyword in node.value.keywords:
                    if keyword.arg == "group" and isinstance(keyword.value, ast.Constant):
                        yield str(getattr(node.targets[0], "id", "")), str(keyword.value.value)

    def _module(self, file: str) -> ast.Module:
        try:
            return ast.parse(self._sources.text(file))
        except SyntaxError:  # ruff says where
            return ast.Module(body=[], type_ignores=[])

    def _decorated(self, file: str, name: str) -> Iterator[ast.FunctionDef]:
        for node in self._module(file).body:
            if isinstance(node, ast.FunctionDef) and any(_name(each) == name for each in node.decorator_list):
                yield node


def _name(decorator: ast.expr) -> str:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return str(getattr(called, "id", getattr(called, "attr", "")))


def _flags(arguments: ast.arguments) -> Iterator[Flag]:
    every = [*arguments.args, *arguments.kwonlyargs]
    plain = [None] * (len(arguments.args) - len(arguments.defaults)) + list(arguments.defaults)
    for argument, default in zip(every, [*plain, *arguments.kw_defaults], strict=True):
        constant = default.value if isinstance(default, ast.Constant) else None
        switch = isinstance(constant, bool)
        name = argument.arg.replace("_", "-")
        yield Flag(name, switch, default is None)
        if constant is True:
            yield Flag(f"no-{name}", True, False)
    yield Flag("debug", True, False)
