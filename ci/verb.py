"""Turn a function into an Invoke verb: help from the signature, errors in two lines, exit code 1."""

import errno
import functools
import inspect
import os
import sys
import typing
from collections.abc import Callable
from typing import Any

from invoke.context import Context
from invoke.exceptions import Exit, ParseError
from invoke.tasks import Task

from ci.problem import Problem
from ci.progress import errors
from ci.shell import CommandFailed

Verb = Callable[..., None]
_DEBUG_HELP = "show the traceback of an error"


def verb(function: Verb, group: str = "") -> "Task[Verb]":
    """Make `function` a verb; `infra_plan` of the group `infra` is called infra.plan.

    A parameter is a flag; `Annotated[str, "text"]` gives its help. One without default is
    required: plain Invoke would take it for a positional and then refuse `VERB --help`, so Invoke
    is told that it is optional, and its absence is found here.
    """
    shown = f"{group}.{function.__name__.removeprefix(group + '_')}" if group else function.__name__
    signature = inspect.signature(function)
    hints = typing.get_type_hints(function, include_extras=True)
    flags = list(signature.parameters.values())
    required = [flag.name for flag in flags if flag.default is inspect.Parameter.empty]

    @functools.wraps(function)
    def body(_context: Context, debug: bool = False, **given: Any) -> None:
        with_traceback = debug or bool(os.environ.get("SLIPWAY_DEBUG"))
        try:
            for name in required:
                if not given.get(name):
                    raise Problem(
                        f"'{shown}' needs --{name}",
                        fix=f"invoke {shown} --help",
                    )
            function(**given)
        except KeyboardInterrupt:
            errors.print("\nstopped; the same command goes on from here")
            raise Exit(code=130) from None
        except BrokenPipeError:
            # The reader, such as `| head`, has seen enough. Nothing may be flushed to it at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise Exit(code=141) from None
        except Exception as error:
            if with_traceback:
                raise
            errors.print(str(as_problem(error)), markup=False)
            raise Exit(code=1) from None

    parameters = [
        inspect.Parameter("_context", inspect.Parameter.POSITIONAL_OR_KEYWORD),
        *(_optional(flag) for flag in flags),
        inspect.Parameter("debug", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=False),
    ]
    body.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    helps = {flag.name: _help(hints[flag.name], flag.name in required) for flag in flags}
    return Task(body, positional=[], auto_shortflags=False, help={**helps, "debug": _DEBUG_HELP})


def explain_parse_errors() -> None:
    """Have Invoke's own refusals (unknown verb or flag, flag without value) in two lines too.

    Invoke prints a ParseError as text and ends with 1; it offers no hook, so the text is given here.
    """

    def text(error: ParseError) -> str:
        what = str(error.args[0]).strip().splitlines()[0]
        return str(Problem(what, fix="invoke --list names the verbs, invoke VERB --help their flags"))

    ParseError.__str__ = text  # type: ignore[method-assign, assignment]  # there is no other way in


def as_problem(error: Exception) -> Problem:
    """Return what a user can do about any error."""
    if isinstance(error, Problem):
        return error
    again = "run it again with --debug to see where"
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return Problem(f"the disk is full{_at(error)}", fix=_SPACE)
    if isinstance(error, CommandFailed):
        if "no space left on device" in str(error).lower():
            return Problem(f"the disk is full: {error.last_words}", fix=_SPACE)
        return Problem(f"{' '.join(error.argv[:3])} failed: {error.last_words}", fix=again)
    return Problem(f"unexpected {type(error).__name__}: {_first_line(error)}", fix=again)


_SPACE = "free some space (docker image prune frees old images), then run the command again"


def _at(error: OSError) -> str:
    return f": {error.filename}" if error.filename else ""


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or ["no message"])[0][:300]


def _optional(flag: inspect.Parameter) -> inspect.Parameter:
    return flag.replace(default="") if flag.default is inspect.Parameter.empty else flag


def _help(hint: Any, required: bool) -> str:
    text = next((str(extra) for extra in getattr(hint, "__metadata__", ())), "")
    return f"{text} (required)" if required else text
