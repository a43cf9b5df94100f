"""Report: what a run did and found, as a page.

Each section stands for itself: what is missing or broken for one of them is said there, and the
others are made.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from zonalbatch import __version__
from zonalbatch.errors import InputError, ZonalbatchError
from zonalbatch.explore.columns import Column, column_named
from zonalbatch.explore.grid import Grid, grid_of
from zonalbatch.explore.selection import listed
from zonalbatch.pages.account import Account, account_of
from zonalbatch.pages.atlas import carried_table
from zonalbatch.pages.causes import causes_of, failures_of
from zonalbatch.pages.counts import counts_of
from zonalbatch.pages.document import document, part
from zonalbatch.pages.markup import Ready, facts, lines, paragraph, section, table
from zonalbatch.pages.odd import Odd, odd_of
from zonalbatch.pages.page import Page
from zonalbatch.pages.pooled import mapped
from zonalbatch.pages.spread import bands, histograms, telling
from zonalbatch.pages.times import times_document

if TYPE_CHECKING:
    from zonalbatch.explore.rows import Rows

__all__ = ["report"]

CAUSES = 30
"""That are listed, at most."""
SERIES = 12
"""That are drawn if none are asked for: the worst, then the usual."""
STATUS_WORDS = {
    "ok": "values", "partial": "read in part", "filtered": "too little is clear",
    "empty": "no valid cell: clouds, masks, no data", "failed": "could not be read",
}  # fmt: skip


@dataclass(slots=True)
class _Draft:
    """A report in the making."""

    data: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def report(
    rows: Rows,
    path: str | os.PathLike[str] | None = None,
    column: str | None = None,
    zones: Sequence[Any] | None = None,
) -> Page:
    """What a run did and found.

    Args:
        rows: of the result, or some of them.
        path: of an HTML file to write.
        column: of the map and the series; None takes the mean of the first measurement that is
            an expression, or of the first of all.
        zones: ids whose series are drawn; None takes the worst and some that are as most are.

    Raises:
        InputError: there is no such column or zone.
        OutputError: the file cannot be written, or the result's manifest is damaged.
    """
    account, draft = account_of(rows.output), _Draft()
    body = [_ran(account), _said(lambda: _rows_section(rows, draft), "rows", "Rows by date")]
    body.append(_said(lambda: _failures_section(rows), "failures", "Failures"))
    chosen = _main_column(rows, column, account)
    body += _looked_at(rows, chosen, zones, draft)
    body.append(section("left-out", "What is not shown as it is", lines(_notes(draft))))
    page = _page(account, body, draft)
    if path is not None:
        page.save(path)
    return page


def _page(account: Account, body: Sequence[str], draft: _Draft) -> Page:
    title = f"Report · {account.name}"
    head = part("report", title=account.name, state=account.state, made=f"zonalbatch {__version__}")
    kind = "" if account.ended else ' class="unended"'
    return Page(
        title=title,
        html=document(
            title=title, body=f"{head}<main{kind}>{''.join(body)}</main>",
            styles=("theme", "map", "report"), entry="report", data=draft.data,
        ),
    )  # fmt: skip


def _said(make: Callable[[], str], name: str, title: str) -> str:
    """A section, or why there is none."""
    try:
        return make()
    except ZonalbatchError as error:
        return section(name, title, paragraph(_sentence(str(error)), "absent"))


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _main_column(rows: Rows, name: str | None, account: Account) -> Column | str:
    """The column that is looked at; a sentence where there is none.

    Raises:
        InputError: there is none of the name.
    """
    try:
        there = rows.columns
    except ZonalbatchError as error:
        return _sentence(str(error))
    if name is not None:
        return column_named(there, name)
    told = telling(there)
    if not told:
        return "No column holds numbers that could be drawn."
    plain = {name for name, expression in account.measured if expression.isidentifier()}
    return next((one for one in told if one.measurement not in plain), told[0])


def _ran(account: Account) -> str:
    job = f"<pre tabindex='0'>{escape(account.job)}</pre>" if account.job else ""
    return section(
        "ran", "What ran", facts(account.facts),
        table(("Measurement", "Expression"), account.measured) if account.measured else "",
        facts(account.settings, "settings"),
        f"<details><summary>The job, without secrets</summary>{job}</details>" if job else
        paragraph("The output holds no job.yaml.", "absent"),
    )  # fmt: skip


def _rows_section(rows: Rows, draft: _Draft) -> str:
    counts = counts_of(rows)
    draft.data["counts"] = counts.document
    draft.notes.append(counts.note)
    words = [
        (STATUS_WORDS[one], f"{count:,}") for one, count in counts.total.items()
    ]  # fmt: skip
    unmet = f"{counts.unmet:,} rows are of zones that meet no layer." if counts.unmet else ""
    if not counts.total:
        return section("rows", "Rows by date", paragraph("There are no rows.", "absent"),
                       paragraph(unmet))  # fmt: skip
    title = f"Rows by {counts.document['unit']}"
    chart = '<figure class="bars"><svg></svg><figcaption></figcaption></figure>'
    return section("rows", title, chart, facts(words, "facts small"), paragraph(unmet))


def _failures_section(rows: Rows) -> str:
    failures = failures_of(rows.output)
    if not failures:
        return section("failures", "Failures", paragraph("Everything could be read."))
    causes = causes_of(failures)
    listed = [
        (one.cause, f"{one.count:,}", f"{one.layer}\n{one.href}".strip(), one.advice)
        for one in causes[:CAUSES]
    ]
    more = len(causes) - len(listed)
    return section(
        "failures", f"Failures: {len(failures):,}",
        table(("Cause", "Failures", "The first of them", "How to go on"), listed, numbers=(1,)),
        paragraph(f"{more:,} more causes are in failures.parquet." if more else "", "note"),
    )  # fmt: skip


def _looked_at(
    rows: Rows, column: Column | str, zones: Sequence[Any] | None, draft: _Draft
) -> list[str]:
    """Map, distributions, zones that are worth a look, series."""
    if isinstance(column, str):
        return [section("map", "Map and values", paragraph(column, "absent"))]
    try:
        grid = grid_of(rows, [column])
    except ZonalbatchError as error:
        absent = paragraph(_sentence(str(error)), "absent")
        return [section("map", f"Map of {column.name}", absent),
                _said(lambda: _spread_section(rows, column, None, draft), "spread",
                      "Distributions")]  # fmt: skip
    odd = odd_of(grid, column.name, lambda value: f"{value:.3g}".replace("-", "−"))
    picked = _picked(grid, zones, odd)
    return [
        _map_section(rows, grid, column, [zone for zone, _ in picked], draft),
        _said(lambda: _spread_section(rows, column, grid, draft), "spread", "Distributions"),
        _odd_section(grid, odd, draft),
        _series_section(grid, column, picked, draft),
    ]


def _map_section(
    rows: Rows, grid: Grid, column: Column, picked: Sequence[int], draft: _Draft
) -> str:
    made = mapped(grid, column.name, rows.zones, carried_table(rows))
    draft.notes += made.atlas.notes
    draft.data["atlas"] = made.atlas.document
    # Where zones were put together into cells, none of them can be found on the map.
    draft.data["places"] = not made.pooled
    draft.data["first"] = [] if made.pooled else list(picked[:4])
    return section("map", f"Map of {column.name}", part("map"))


def _spread_section(rows: Rows, column: Column, grid: Grid | None, draft: _Draft) -> str:
    columns = {one.name: one for one in [column, *telling(rows.columns)]}
    found = histograms(rows, list(columns.values()))
    draft.data["histograms"] = found
    strides = [one["stride"] for one in found if one["stride"] > 1]
    if strides:
        draft.notes.append(f"Histograms are made of every {strides[0]:,}th row.")
    chosen = '<label class="pick">Column <select id="histogram-column"></select></label>'
    pieces = [chosen, '<figure class="histogram"><svg></svg><figcaption></figcaption></figure>']
    if grid is not None and len(grid.times) > 1:
        draft.data["times"] = times_document(grid)
        draft.data["bands"] = {"column": column.name, "lines": bands(grid.values[column.name])}
        pieces.append(f"<h3>{escape(column.name)} of all zones over time</h3>")
        pieces.append('<figure class="quantiles"><svg></svg><figcaption></figcaption></figure>')
    return section("spread", "Distributions", *pieces)


def _odd_section(grid: Grid, odd: Odd, draft: _Draft) -> str:
    kinds = (
        ("Far from the others", odd.far), ("Most dates without a value", odd.missing),
        ("Could not be read", odd.failed),
    )  # fmt: skip
    found = [
        f"<div><h3>{escape(name)}</h3>{_zone_table(grid, zones, draft)}</div>"
        for name, zones in kinds
        if zones
    ]
    if not found:
        return section("odd", "Zones to look at", paragraph("No zone stands out."))
    return section("odd", "Zones to look at", f'<div class="columns">{"".join(found)}</div>')


def _zone_table(grid: Grid, zones: Sequence[tuple[int, str]], draft: _Draft) -> str:
    return table(("Zone", "Why"), [(_zone(grid, zone, draft), why) for zone, why in zones])


def _zone(grid: Grid, zone: int, draft: _Draft) -> str:
    """What chooses a zone on the map by a click, if it is there."""
    name = escape(str(grid.zones[zone]))
    if not draft.data.get("places"):
        return Ready(f"<b>{name}</b>")
    return Ready(f'<button type="button" class="zone" data-zone="{zone}">{name}</button>')


def _picked(grid: Grid, zones: Sequence[Any] | None, odd: Odd) -> list[tuple[int, str]]:
    """Zones whose series are drawn, and why.

    Raises:
        InputError: there is no zone of an id.
    """
    if zones is None:
        half = SERIES // 2
        worst = odd.worst[:half]
        some = {zone for zone, _ in worst}
        return worst + [one for one in odd.usual if one[0] not in some][: SERIES - len(worst)]
    places = {str(zone): place for place, zone in enumerate(grid.zones.tolist())}
    zones = listed(zones)
    for zone in zones:
        if str(zone) not in places:
            raise InputError(f"there is no zone {zone!r} in the result; give ids that it has")
    return [(places[str(zone)], "asked for") for zone in zones]


def _series_section(
    grid: Grid, column: Column, picked: Sequence[tuple[int, str]], draft: _Draft
) -> str:
    title = f"Series of {column.name}"
    if len(grid.times) < 2 or not picked:
        few = "There is one date, or none: no series." if len(grid.times) < 2 else ""
        return section("series", title, paragraph(few or "There is no zone to draw.", "absent"))
    values = grid.values[column.name]
    draft.data["series"] = [
        {
            "id": str(grid.zones[zone]), "why": why,
            "values": [None if np.isnan(one) else float(f"{one:.6g}") for one in values[zone]],
        }
        for zone, why in picked
    ]  # fmt: skip
    return section(
        "series", title,
        paragraph("Each beside the middle half of all zones (shaded) and their median (grey).",
                  "note"),
        '<div class="series-list"></div>',
    )  # fmt: skip


def _notes(draft: _Draft) -> list[str]:
    said = [note for note in draft.notes if note]
    return [*said, "The rows themselves are in results/, as GeoParquet."]
