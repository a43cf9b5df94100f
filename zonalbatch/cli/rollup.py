"""The command that combines the rows of a result: rollup."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["rollup"]


def rollup(
    result: Annotated[
        str,
        typer.Argument(
            metavar="OUT", help="The output folder of a run with sketch: true, or temporal."
        ),
    ],
    by: Annotated[
        str | None, typer.Option(help="A carried column by which zones are put together.")
    ] = None,
    every: Annotated[
        str | None,
        typer.Option(help="A time: day, week, month, quarter, season, year, or days such as 10d."),
    ] = None,
    names: Annotated[
        str | None,
        typer.Option("--stats", "-s", help="Statistics, separated by commas; the run's if none."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="A file to write: .parquet or .csv.")
    ] = None,
) -> None:
    """Combine the rows of a result to coarser zones, longer times, or both; reads no pixel.

    Example: `zonalbatch rollup out/ --by farm --every month -s mean,std,p90 -o farms.parquet`
    """
    from zonalbatch.results import open_results
    from zonalbatch.tables import teller

    tell = teller(out)
    tell(open_results(result).rollup(by, every, names))
