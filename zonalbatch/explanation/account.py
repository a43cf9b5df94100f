"""Account: an explanation as text, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from zonalbatch.cover.figures import AREA, LINE
from zonalbatch.explanation.explanation import Explanation
from zonalbatch.lattice import crs_label
from zonalbatch.masks.mask import Bits, Mask
from zonalbatch.measure import Encoding
from zonalbatch.zones import ROW

__all__ = ["account"]

BINS = 100
"""How many bins are told."""
UNITS = {AREA: "share", LINE: "metres"}


def account(explanation: Explanation, limit: int = 50) -> str:
    """What was asked, the cells (``limit`` of them at most), and the sums.

    Args:
        explanation: what to tell.
        limit: how many cells are told one by one.
    """
    return "\n".join(
        [*_head(explanation), "", *_cells(explanation, limit), "", *_sums(explanation)]
    )


def _head(e: Explanation) -> Iterator[str]:
    lattice = e.grid.lattice
    height, width = e.grid.shape
    crs = crs_label(lattice.crs)
    yield f"zone {e.zone_id} on layer {e.layer}"
    yield f"  zone         {_named(e)}"
    if len(e.items) > 1 or e.items[:1] != (e.layer,):
        yield f"  scenes       {_scenes(e.items)}"
    yield f"  measurement  {_measured(e)}"
    for mask in e.measurement.masks:
        yield f"  mask         {_masked(mask)}"
    yield f"  coverage     {e.coverage}"
    yield f"  grid         {height:,} × {width:,} cells of {lattice.dx:g} × {lattice.dy:g}, {crs}"
    for band, encoding in e.encodings.items():
        yield f"  band         {band}: {_encoded(encoding)}"
    if e.min_fraction:
        yield f"  least share  {e.min_fraction:g} of a cell"
    if e.measurement.default is not None:
        yield f"  default      cells without data count as {e.measurement.default:g}"
    yield f"  quantiles    {e.quantile_method}"
    if e.weights:
        yield f"  weights      {e.weights}"
    if e.weight_by == "area":
        yield "  averages     weigh cells by their area on the ground"


def _scenes(items: tuple[str, ...]) -> str:
    """What answers, in order."""
    if len(items) == 1:
        return items[0]
    return f"{', '.join(items)}: in each cell the first that has a value"


def _named(e: Explanation) -> str:
    if e.id_name == ROW:
        return f"row {e.zone_id}, counted from 0, as no column of ids is named"
    return f"{e.zone_id!r} in {e.id_name!r}"


def _measured(e: Explanation) -> str:
    name, text = e.measurement.name, e.measurement.expression.text
    return name if name == text else f"{name} = {text}"


def _masked(mask: Mask) -> str:
    grown = f", and those within {mask.dilate:g} m of one" if mask.dilate else ""
    return f"leaves out cells where {mask.band} {', or '.join(_rules(mask))}{grown}"


def _rules(mask: Mask) -> Iterator[str]:
    if mask.values or mask.keep:
        values = ", ".join(map(_told, mask.values))
        yield f"is {'none' if mask.keep else 'one'} of {values}"
    for bits in mask.bits:
        yield f"has {_places(bits)} at {', '.join(map(str, bits.exclude))} ({bits.name})"
    if mask.above is not None:
        yield f"is above {mask.above:g}"
    if mask.below is not None:
        yield f"is below {mask.below:g}"
    if mask.nodata:
        yield "has no value"


def _told(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _places(bits: Bits) -> str:
    """Which bits these are, from 0."""
    first = bits.offset or 0
    return f"bit {first}" if bits.length == 1 else f"bits {first} to {first + bits.length - 1}"


def _encoded(encoding: Encoding) -> str:
    nodata = "no nodata" if encoding.nodata is None else f"nodata {encoding.nodata:g}"
    if encoding.scale == 1 and encoding.offset == 0:
        return f"{nodata}, values as they are stored"
    return f"{nodata}, value = raw × {encoding.scale:g} + {encoding.offset:g}"


def _cells(e: Explanation, limit: int) -> Iterator[str]:
    if not e.n_cells:
        yield "no cell is covered"
        return
    if limit > 0:
        yield _table(e.to_frame().head(limit))
    told = min(limit, len(e.row))
    if told < e.n_cells:
        rest = f"… and {e.n_cells - told:,} more cells of" if told else "cells:"
        yield f"{rest} {e.n_cells:,}; --limit tells how many to print"


def _table(frame: pd.DataFrame) -> str:
    told = {name: [_number(number) for number in frame[name]] for name in frame.columns[:-1]}
    told["fraction"] = [f"{fraction:.6f}" for fraction in frame["fraction"]]
    return frame.assign(**told).to_string(index=False)


def _number(number: Any) -> str:
    if pd.isna(number):
        return "–"
    return format(number, ".10g") if isinstance(number, float | np.floating) else str(number)


def _sums(e: Explanation) -> Iterator[str]:
    yield f"{'cells':<14}{'number':>12}{UNITS.get(e.kind, 'points'):>20}"
    for name, (number, weight) in e.by_reason.items():
        yield f"  {name:<12}{number:>12,}{weight:>20.10g}"
    for name, (number, weight) in e.by_mask.items():
        yield f"    by {name:<12}{number:>7,}{weight:>20.10g}"
    if not e.complete:
        yield f"  (of the first {len(e.row):,} cells of {e.n_cells:,})"
    if e.unlisted:
        yield f"  {'far outside':<12}{'':>12}{e.unlisted:>20.10g}"
    yield from _amounts(e)
    yield from ("", f"status          {e.status}", *_totals(e.totals))
    for failure in e.failures:
        yield f"failure         {failure.cause}"


def _amounts(e: Explanation) -> Iterator[str]:
    """How much of the zone each class has, and each of the first bins."""
    unit, bins = UNITS.get(e.kind, "points"), e.amounts.bins
    if e.amounts.classes:
        yield from ("", f"{'classes':<14}{'value':>12}{unit:>20}")
    for name, value, amount in e.amounts.classes:
        yield f"  {name:<12}{value:>12.10g}{_amount(amount):>20}"
    if bins:
        yield from ("", f"{'bins':<14}{'from':>12}{unit:>20}")
    for low, amount in bins[:BINS]:
        yield f"{'':<14}{low:>12.10g}{_amount(amount):>20}"
    if len(bins) > BINS:
        yield f"  … and {len(bins) - BINS:,} more bins"


def _amount(amount: float | None) -> str:
    return "null" if amount is None else format(amount, ".10g")


def _totals(totals: Mapping[str, float | None]) -> Iterator[str]:
    for name, number in totals.items():
        yield f"{name:<16}{'null' if number is None else format(number, '.15g')}"
