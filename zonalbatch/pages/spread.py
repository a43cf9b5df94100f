"""Spread: how values of columns are distributed, on the whole and over time."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from zonalbatch.explore.columns import Column, is_long

if TYPE_CHECKING:
    from zonalbatch.explore.rows import Rows

__all__ = ["bands", "histograms", "telling"]

SAMPLE = 400_000
"""Values of each column that a histogram is made of, at most."""
BINS = 48
MOST = 12
"""Columns that have a histogram, unless more are asked for."""
INSIDE = (0.5, 99.5)
"""Percentiles between which the bins are; what is beyond is told beside them."""
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
HOUSEKEEPING = ("count", "n_total", "n_nodata", "n_nan", "n_masked", "n_outside", "n_unread")
"""Statistics that tell of cells, not of values."""


def telling(columns: Sequence[Column]) -> list[Column]:
    """Of each measurement its mean, or the first statistic that tells of its values."""
    found: dict[str, Column] = {}
    for one in columns:
        if one.number and one.statistic not in HOUSEKEEPING:
            best = found.setdefault(one.measurement, one)
            if one.statistic == "mean" and best.statistic != "mean":
                found[one.measurement] = one
    return list(found.values())


def histograms(rows: Rows, columns: Sequence[Column]) -> list[dict[str, Any]]:
    """A histogram of each column, read file by file.

    Raises:
        OutputError: there are no rows yet.
    """
    names = [one.name for one in columns][:MOST]
    total = sum(piece.num_rows for piece in rows.pieces(["status"]))
    per_pair = len(rows.columns) if is_long(rows.schema) else 1
    stride = max(1, -(-total // (SAMPLE * max(1, per_pair))))
    sampled: dict[str, list[NDArray[np.float64]]] = {name: [] for name in names}
    for name, values in _values(rows, names):
        sampled[name].append(values[::stride])
    return [_histogram(name, np.concatenate([*parts, []]), stride)
            for name, parts in sampled.items()]  # fmt: skip


def _values(rows: Rows, names: Sequence[str]) -> Any:
    """(name, values) of each column in each file."""
    if not is_long(rows.schema):
        for piece in rows.pieces(names):
            for name in names:
                yield name, _numbers(piece[name])
        return
    for piece in rows.pieces(["measurement", "statistic", "value"]):
        keys = pc.binary_join_element_wise(piece["measurement"], piece["statistic"], "_")
        for name in names:
            yield name, _numbers(piece.filter(pc.equal(keys, name))["value"])


def _numbers(column: pa.ChunkedArray) -> NDArray[np.float64]:
    values = pc.cast(column.drop_null(), pa.float64()).to_numpy()
    found: NDArray[np.float64] = values[np.isfinite(values)]
    return found


def _histogram(name: str, values: NDArray[np.float64], stride: int) -> dict[str, Any]:
    if not values.size:
        return {"column": name, "edges": [], "counts": [], "below": 0, "above": 0,
                "stride": stride, "median": None}  # fmt: skip
    low, high = (float(one) for one in np.percentile(values, INSIDE))
    counts, edges = np.histogram(values, BINS, (low, high))
    return {
        "column": name, "edges": edges.tolist(), "counts": counts.tolist(),
        "below": int((values < edges[0]).sum()), "above": int((values > edges[-1]).sum()),
        "stride": stride, "median": float(np.median(values)),
    }  # fmt: skip


def bands(values: NDArray[np.float64]) -> list[list[float | None]]:
    """(quantile, time) of all zones; None on dates without a value."""
    if not values.size:
        return [[None] * values.shape[1] for _ in QUANTILES]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of dates that have none
        found = np.nanquantile(values, QUANTILES, axis=0)
    return [[None if np.isnan(one) else float(f"{one:.6g}") for one in line] for line in found]
