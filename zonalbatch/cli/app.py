"""The command line.

Exit codes: 0 all done · 1 a fault of ours · 2 invalid input · 3 done, with failures recorded ·
4 cannot write · 5 no cluster · 130 interrupted (a second run goes on from there).
"""

from __future__ import annotations

import sys
import warnings
from typing import Annotated

import typer

from zonalbatch import __version__
from zonalbatch.cli.cogs import create_tms, doctor, info
from zonalbatch.cli.compare import compare
from zonalbatch.cli.explain import explain
from zonalbatch.cli.extract import clip, datasets, extract
from zonalbatch.cli.interruption import Interruption
from zonalbatch.cli.jobs import demo, plan, run, schema, status, validate
from zonalbatch.cli.plot import plot
from zonalbatch.cli.report import report
from zonalbatch.cli.rollup import rollup
from zonalbatch.cli.search import search
from zonalbatch.cli.serve import serve
from zonalbatch.cli.tables import points, stats
from zonalbatch.cli.worker import worker
from zonalbatch.errors import ZonalbatchError, ZonalbatchWarning

__all__ = ["answer", "app"]

app = typer.Typer(
    name="zonalbatch",
    help="Exact zonal statistics of many zones over many raster scenes.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def answer(interruption: Interruption) -> None:
    """Do what was typed; errors end it with one sentence and their exit code."""
    try:
        with warnings.catch_warnings():
            app(obj=interruption)
    except ZonalbatchError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"zonalbatch {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Exact zonal statistics of many zones over many raster scenes."""
    warnings.simplefilter("ignore")  # what matters is raised or noted; libraries' own are noise
    warnings.simplefilter("always", ZonalbatchWarning)
    warnings.showwarning = _note


def _note(message: Warning | str, *_place: object, **_source: object) -> None:
    """Tell a warning of ours as a note is told: in a line, without a place in our code."""
    print(f"note: {message}", file=sys.stderr)


COMMANDS = (
    demo, run, plan, validate, schema, status, search, rollup, report, plot, stats, points,
    explain, compare, datasets, extract, clip, info, create_tms, doctor, serve, worker,
)  # fmt: skip

for command in COMMANDS:
    app.command(command.__name__.replace("_", "-"))(command)
