"""Explorer: the map of a column, as a page."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from zonalbatch.explore.columns import Column
from zonalbatch.explore.grid import Grid
from zonalbatch.pages.atlas import atlas_of
from zonalbatch.pages.document import document, part
from zonalbatch.pages.page import Page
from zonalbatch.pages.times import place_of_day

if TYPE_CHECKING:
    from zonalbatch.explore.rows import Rows

__all__ = ["explorer"]

SLIDER = "slider"


def explorer(rows: Rows, column: Column, time: Any, path: str | os.PathLike[str] | None) -> Page:
    """The map of a column over all dates, or on one day.

    Raises:
        OutputError: the run has not ended, or the file cannot be written.
        InputError: no date lies on the day.
    """
    made, grid = atlas_of(rows, column)
    day = None if time == SLIDER else place_of_day(grid, time)
    name = str(rows.output.path).rstrip("/").rpartition("/")[2]
    title = f"{column.name} · {name}"
    body = part("explorer", title=column.name, about=_about(grid, name))
    page = Page(
        html=document(
            title=title, body=body + part("map"), styles=("theme", "map", "explorer"),
            entry="explorer",
            data={"atlas": made.document | {"day": day}, "notes": list(made.notes)},
        ),
        title=title,
    )  # fmt: skip
    if path is not None:
        page.save(path)
    return page


def _about(grid: Grid, name: str) -> str:
    kind = "date" if grid.dated else "layer"
    told = [
        f"{count:,} {noun}{'s' * (count != 1)}"
        for count, noun in ((len(grid.zones), "zone"), (len(grid.times), kind))
    ]
    return f"{' × '.join(told)}, of {name}"
