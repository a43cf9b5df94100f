"""Results in a notebook: what they hold; no rows are read for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow.compute as pc

from zonalbatch.errors import ZonalbatchError
from zonalbatch.explore.reading import read_table, sealed_file
from zonalbatch.notebook.markup import bar, card, chips, table
from zonalbatch.progress import size_text

if TYPE_CHECKING:
    from zonalbatch.explore.selection import Selection
    from zonalbatch.results import Results

__all__ = ["results_html", "selection_html"]


def results_html(results: Results) -> str:
    """Zones, dates, rows, columns, failures; of a run that goes on, how far it has come."""
    try:
        return _html(results)
    except ZonalbatchError as error:
        return card("Results", results.path, [table([("", str(error))])])


def selection_html(rows: Selection) -> str:
    """What is asked for, and its columns."""
    return card("Selection", repr(rows), [table([("rows", "see .gdf")]), chips(rows.names)])


def _html(results: Results) -> str:
    sealed = results.output.sealed()
    if sealed is None:
        return card("Results", results.path, [_under_way(results)])
    rows: list[tuple[str, object]] = [
        ("zones", f"{sealed.zones:,}"),
        ("layers", f"{sealed.layers:,}{_dates(results)}"),
        ("rows", f"{sealed.rows:,}"),
        ("size", size_text(sealed.bytes)),
        ("not read", f"{sealed.failures:,}: see .failures" if sealed.failures else None),
        ("also", _beside(results)),
    ]
    names = [one.name for one in results.columns]
    return card("Results", results.path, [table(rows), chips(names)])


def _under_way(results: Results) -> str:
    from zonalbatch.results import status_of

    try:
        status = status_of(results.path)
    except ZonalbatchError as error:
        return table([("", str(error))])
    told = f"{status.done:,} of {status.parts:,} parts; run the job again to go on"
    return bar(status.done / max(status.parts, 1), told)


def _dates(results: Results) -> str:
    """From when to when, of those that have a date."""
    layers = read_table(sealed_file(results.output, "layers.parquet"), ["datetime"])
    first, last = (pc.min_max(layers["datetime"])[key].as_py() for key in ("min", "max"))
    return "" if first is None else f", {first:%Y-%m-%d} to {last:%Y-%m-%d}"


def _beside(results: Results) -> str | None:
    """What is told beside the rows."""
    sealed = results.output.sealed()
    told = [name for name in ("temporal", "picked") if sealed is not None and getattr(sealed, name)]
    return ", ".join(f".{name}" for name in told) or None
