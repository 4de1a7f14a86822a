"""The application: its commands, its errors and its exit codes."""

from __future__ import annotations

import difflib
import os
import sys
from typing import TYPE_CHECKING

from cyclopts import App, CycloptsError, MissingArgumentError, UnknownCommandError, UnknownOptionError

import shoal
from shoal.cli import (
    catalog_model,  # noqa: F401 - adds commands to `model`
    console,
    exchange,  # noqa: F401 - adds commands to `catalog`
)
from shoal.cli.board import board
from shoal.cli.build import build
from shoal.cli.catalog import catalog
from shoal.cli.demo import demo
from shoal.cli.deployment import deployment
from shoal.cli.device import device
from shoal.cli.doctor import doctor
from shoal.cli.emulate import emulate
from shoal.cli.find import find
from shoal.cli.match import match
from shoal.cli.model import model
from shoal.cli.query import query
from shoal.cli.report import report
from shoal.cli.run import run
from shoal.cli.serve import serve
from shoal.errors import ShoalError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["FAILED", "INTERRUPTED", "OK", "USAGE", "main"]

OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130

app = App(
    name="shoal",
    help="Microcontrollers that keep learning, fleets that share what they learnt.",
    help_epilogue="Start with: shoal demo",
    version=f"shoal {shoal.__version__}",
    help_flags=["--help", "-h"],
    version_flags=["--version"],
    help_format="markdown",
)
for command in (demo, run, report, build, emulate, match, find, query, serve, doctor):
    app.command(command, help_epilogue="")
for group in (model, device, board, deployment, catalog):
    app.command(group)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments
        Without the program's name; None for those of the process.

    Returns
    -------
    0 where it worked, 1 where it failed, 2 for a command line that cannot be used, 130 when interrupted.
    """
    tokens = list(sys.argv[1:] if arguments is None else arguments)
    try:
        call, bound, _ = app.parse_args(tokens, print_error=False, exit_on_error=False)
        code = call(*bound.args, **bound.kwargs)
        sys.stdout.flush()
        return code if isinstance(code, int) else OK
    except CycloptsError as problem:
        console.usage(*explained(problem))
        return USAGE
    except ShoalError as problem:
        console.error(problem)
        return FAILED
    except KeyboardInterrupt as problem:
        hint = problem.args[0] if problem.args else None
        console.usage("interrupted", None, hint)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader, such as `head`, has gone: what is left to flush at exit goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


def explained(problem: CycloptsError) -> tuple[str, str, str]:
    """Return what is wrong with a command line, where, and what to try."""
    command = " ".join(["shoal", *(problem.command_chain or ())])
    if isinstance(problem, UnknownCommandError):
        word = (problem.unused_tokens or ["?"])[0]
        close = difflib.get_close_matches(word, names(), 1)
        return f"unknown command '{word}'", command, f"shoal {close[0]}" if close else f"{command} -h"
    if isinstance(problem, UnknownOptionError):
        word = (problem.token.keyword or problem.token.value).split("=")[0]
        known = [name for argument in problem.argument_collection for name in argument.names]
        close = difflib.get_close_matches(word, known, 1)
        return f"unknown option '{word}'", command, f"{command} {close[0]}" if close else f"{command} -h"
    if isinstance(problem, MissingArgumentError) and problem.argument is not None:
        name = problem.argument.name
        what = f"{name} needs a value" if name.startswith("-") else f"{name} is missing"
        return what, command, f"{command} -h"
    problem.verbose = False
    what = " ".join(str(problem).split()).rstrip(".")
    return what[:1].lower() + what[1:], command, f"{command} -h"


def names() -> list[str]:
    """Return the commands."""
    return [name for name in app if not name.startswith("-")]
