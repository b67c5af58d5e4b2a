"""The command line: ``python -m deepplp`` or ``deepplp``."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import warnings
from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal

import typer

import deepplp
from deepplp.collector import collector_paused
from deepplp.errors import DeepPLPError, ProgramWarning

__all__ = ["run"]


class Grounder(StrEnum):
    """Who grounds."""

    AUTO = "auto"
    TABLED = "tabled"
    PROBLOG = "problog"


class Compiler(StrEnum):
    """Who compiles."""

    PORTFOLIO = "portfolio"
    ELIMINATION = "elimination"
    SDD = "sdd"


_GROUNDERS: Mapping[Grounder, Literal["auto", "tabled", "problog"]] = MappingProxyType(
    {Grounder.AUTO: "auto", Grounder.TABLED: "tabled", Grounder.PROBLOG: "problog"}
)
_COMPILERS: Mapping[Compiler, Literal["portfolio", "elimination", "sdd"]] = MappingProxyType(
    {Compiler.PORTFOLIO: "portfolio", Compiler.ELIMINATION: "elimination", Compiler.SDD: "sdd"}
)

app = typer.Typer(
    name="deepplp",
    help="Probabilistic logic programs as PyTorch layers.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"deepplp {deepplp.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Probabilistic logic programs as PyTorch layers."""


@app.command()
def prob(
    file: Annotated[Path, typer.Argument(metavar="FILE.pl", help="A ProbLog program with its query/1.")],
    allow_python: Annotated[
        bool, typer.Option("--allow-python", help="Let the program load Python files and data bases.")
    ] = False,
    grounder: Annotated[
        Grounder, typer.Option(help="The tabled engine, ProbLog's, or the second where the first declines.")
    ] = Grounder.AUTO,
    compiler: Annotated[
        Compiler, typer.Option(help="Several orders of the choices, or PySDD alone.")
    ] = Compiler.PORTFOLIO,
    seconds: Annotated[
        float | None, typer.Option(metavar="S", help="What grounding may take, and compiling: by default 600.")
    ] = None,
    memory: Annotated[
        float | None, typer.Option(metavar="GB", help="How much either may let the process grow: by default 4.3.")
    ] = None,
) -> None:
    """Print the probability of every answer to the program's queries, as ProbLog does.

    --grounder problog --compiler sdd is the classical path. It takes longer and gives the same answers: use it to check
    one.
    """
    program = deepplp.Program.from_file(file)
    results = deepplp.probabilities(
        program,
        allow_python=allow_python,
        budget=_budget(seconds, memory),
        grounder=_GROUNDERS[grounder],
        compiler=_COMPILERS[compiler],
    )
    if not results:
        heads = (head.signature for statement in program.statements for head in statement.heads_and_body()[0])
        reason = "no clause of its query/1 gives anything to ask" if "query/1" in heads else "it has no query/1"
        warnings.warn(f"{file} asks nothing: {reason}", ProgramWarning, stacklevel=1)
    _print_probabilities(results)


def _budget(seconds: float | None, memory: float | None) -> deepplp.CompileBudget:
    budget = deepplp.CompileBudget()
    if seconds is not None:
        budget = replace(budget, seconds=seconds)
    return budget if memory is None else replace(budget, memory=memory * 1e9)


@app.command()
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE.pl", help="A program, with or without networks.")],
) -> None:
    """Report errors and probable slips without running anything, and the networks that the program needs."""
    report = deepplp.check_file(file)
    for finding in report.findings:
        typer.echo(str(finding))
    for network in report.networks:
        typer.echo(network)
    for note in report.notes:
        _say(f"note: {file}: {note}")
    warned = len(report.findings) - report.errors
    typer.echo(f"{file}: {_count(report.errors, 'error')}, {_count(warned, 'warning')}")
    raise typer.Exit(1 if report.errors else 0)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _print_probabilities(results: dict[str, float]) -> None:
    """ProbLog's format: names aligned to the right, sorted as text, eight digits."""
    width = max(map(len, results), default=0)
    for name, value in sorted(results.items()):
        typer.echo(f"{name:>{width}}:\t{value:<10.8g}")


def _warn(message: Warning | str, *rest: object, **more: object) -> None:
    _say(f"warning: {message}")


def _say(message: str) -> None:
    """Write to standard error, if it can be written to."""
    with contextlib.suppress(OSError, ValueError):
        typer.echo(message, err=True)


def run() -> None:
    """Run a command. Errors go to standard error as one message, and the exit status is 1."""
    warnings.showwarning = _warn
    if sys.stdout is None:  # Python says so where it is closed
        _say("cannot write to standard output: it is closed")
        sys.exit(1)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # what a terminal cannot show
    try:
        with collector_paused():  # loading modules makes thousands of objects that stay
            app()
    except DeepPLPError as error:
        _say(str(error))
        sys.exit(1)
    except OSError as error:
        _say(f"cannot write to standard output: {error.strerror or error}")
        # Python would try again at its end, and fail with a message of its own.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except MemoryError:
        _say("there is not enough memory")
        sys.exit(1)
