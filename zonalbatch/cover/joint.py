"""Joint: one coverage out of several, each of some of the zones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zonalbatch.cover.coverage import Coverage

__all__ = ["joint"]


def joint(parts: Sequence[tuple[Coverage, NDArray[np.int64]]], n_zones: int) -> Coverage:
    """One coverage of all zones.

    Args:
        parts: coverages on one lattice, each with (zone,) which of all zones its zones are; no
            zone lies in two of them.
        n_zones: how many zones there are; some may lie in none.
    """
    coverages = [coverage for coverage, _ in parts]
    zone = np.concatenate([which[one.zone] for one, which in parts])
    tile_row, tile_col = _all(coverages, "tile_row"), _all(coverages, "tile_col")
    order = np.lexsort((zone, tile_col, tile_row))
    zone_total, beyond = np.zeros(n_zones), np.zeros(n_zones, np.bool_)
    for one, which in parts:
        zone_total[which], beyond[which] = one.zone_total, one.beyond
    return Coverage(
        lattice=coverages[0].lattice,
        n_zones=n_zones,
        zone=zone[order].astype(np.int32),
        tile_row=tile_row[order],
        tile_col=tile_col[order],
        window=_all(coverages, "window")[order],
        run_span=_moved(coverages, "run_span", "run_at")[order],
        cell_span=_moved(coverages, "cell_span", "cell_at")[order],
        inner=_all(coverages, "inner")[order],
        total=_all(coverages, "total")[order],
        run_at=_all(coverages, "run_at"),
        run_length=_all(coverages, "run_length"),
        cell_at=_all(coverages, "cell_at"),
        cell_fraction=_all(coverages, "cell_fraction"),
        zone_total=zone_total,
        beyond=beyond,
    )


def _all(coverages: Sequence[Coverage], name: str) -> NDArray[Any]:
    return np.concatenate([getattr(one, name) for one in coverages])


def _moved(coverages: Sequence[Coverage], name: str, items: str) -> NDArray[np.int64]:
    """Spans of items, counted from the first item of the first coverage."""
    sizes = [len(getattr(one, items)) for one in coverages]
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    spans = [getattr(one, name) + start for one, start in zip(coverages, starts, strict=True)]
    return np.concatenate(spans)
