"""Feature figures: the engine's statistics of features, each of which takes the place of a cell.

A feature is counted and summed by its share, and weighs in averages by its extent inside; so do
cells of a lon/lat grid under ``weight_by: area``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from zonalbatch.cover.cells import ALL_VALID, NODATA, NOT_A_NUMBER, Cells, Covered, Layout
from zonalbatch.cover.coverage import Coverage
from zonalbatch.cover.rings import Floats
from zonalbatch.cover.weighing import weighed
from zonalbatch.lattice import Lattice, Window
from zonalbatch.service.figures import Numbers
from zonalbatch.statistics import parse_statistics, summary_of

__all__ = ["numbers_of"]


def numbers_of(values: Any, share: Floats, extent: Floats, names: Sequence[str]) -> Numbers:
    """The engine's statistics of features, each in the place of a cell.

    Args:
        values: (feature,) numbers, masked where there is none.
        share: (feature,) by which each is counted and summed.
        extent: (feature,) what, times its share, it weighs in averages.
        names: the engine's.
    """
    covered = Covered.of(_coverage(share), averaging=partial(weighed, factor=extent))
    statistics = parse_statistics(names)
    summary = summary_of(covered, statistics, Window(0, 0, 1, len(values)))
    for layout in covered.layouts:
        summary.add(Cells(_averaging(covered, layout), values.data, _reasons(values)))
    summary.finish(1.0, 0.0)
    return {one.name: _value(one.finalize(summary)) for one in statistics}


def _averaging(covered: Covered, layout: Layout) -> Layout:
    assert covered.averaging is not None, "features are weighed by what of them lies inside"
    return replace(layout, averaging=covered.averaging(layout))


def _value(column: Any) -> Any:
    """The number of the only zone, or its (class, value) pairs."""
    if isinstance(column, np.ndarray):
        return float(column[0])
    found = column[0].as_py()
    return found and [(pair["class"], pair["value"]) for pair in found]


def _reasons(values: Any) -> Any:
    """(feature,) why it has no value."""
    reasons = np.where(np.isfinite(values.data), 0, NOT_A_NUMBER).astype(np.uint8)
    reasons[np.ma.getmaskarray(values)] = NODATA
    return reasons if reasons.any() else ALL_VALID


def _coverage(share: Floats) -> Coverage:
    """A zone that covers a cell for each feature, by its share."""
    n = len(share)
    one = np.ones(min(n, 1), np.int32)  # without a feature there is no piece
    zero, spans = one - 1, np.zeros((len(one), 2), np.int64)
    total = np.full(1, share.sum())
    return Coverage(
        lattice=Lattice("EPSG:3857", 1.0, 1.0, 0.0, 0.0), n_zones=1, zone=zero, tile_row=zero,
        tile_col=zero, window=np.zeros((len(one), 4), np.int32), run_span=spans,
        cell_span=np.array([[0, n]], np.int64)[: len(one)], inner=zero.astype(np.int64),
        total=total[: len(one)],
        run_at=zero[:0], run_length=zero[:0], cell_at=np.arange(n, dtype=np.int32),
        cell_fraction=share, zone_total=total, beyond=np.zeros(1, bool),
    )  # fmt: skip
