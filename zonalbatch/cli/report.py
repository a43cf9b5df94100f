"""The command that tells of a result on one page: report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["report"]


def report(
    out: Annotated[str, typer.Argument(metavar="OUT", help="The output folder of a run.")],
    file: Annotated[Path, typer.Option("--out", "-o", help="The HTML file to write.")] = Path(
        "report.html"
    ),
    column: Annotated[
        str | None, typer.Option("--column", "-c", help="Of the map and the series: ndvi_mean.")
    ] = None,
    zones: Annotated[
        str | None,
        typer.Option(help="Ids whose series are drawn, separated by commas; the worst if none."),
    ] = None,
) -> None:
    """Write one HTML page, which needs no network, of what a run did and found.

    Example: `zonalbatch report out/ -o report.html --column ndvi_mean --zones F00017,F00018`
    """
    from zonalbatch.progress import size_text
    from zonalbatch.results import Results, status_of
    from zonalbatch.sinks.output import Output

    output = Output.at(out)
    if not output.part_sizes():
        status_of(out)  # says what the folder is, where no run has begun in it
    asked = None if zones is None else [one.strip() for one in zones.split(",") if one.strip()]
    page = Results(output).report(file, column, asked)
    print(f"{file}: {size_text(len(page.html.encode()))}")
