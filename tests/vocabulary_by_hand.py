"""Vocabulary by hand: every statistic told from the cells of one zone, each looked at by NumPy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.oracles import quantile
from zonalbatch.breakdown import Bins, Breakdown
from zonalbatch.lattice import Lattice, Window

__all__ = ["BY_HAND", "LISTED", "Hand", "broken_by_hand"]


@dataclass(frozen=True, eq=False)
class Hand:
    """The cells of one zone: those with a value, in row-major order, and sums of the others."""

    values: NDArray[np.float64]
    """(cell,) physical."""
    shares: NDArray[np.float64]
    weights: NDArray[np.float64]
    """(cell,) of the raster of weights."""
    rows: NDArray[np.int64]
    """(cell,) row in the lattice."""
    cols: NDArray[np.int64]
    reasons: Mapping[str, float]
    """``n_nodata``, ``n_nan``, ``n_masked``, ``n_outside`` -> sum of shares."""
    heaviest: float
    """Value of the first cell of the largest share, NaN if it has none."""
    area: float
    """Of the zone, m²."""
    lattice: Lattice
    extent: Window

    @property
    def total(self) -> float:
        """Sum of all shares."""
        return float(self.shares.sum() + sum(self.reasons.values()))

    @property
    def classes(self) -> dict[float, float]:
        """Value -> sum of shares."""
        v, w = self.values, self.shares
        return {float(c): float(w[v == c].sum()) for c in np.unique(v)}

    @property
    def weighted(self) -> Hand:
        """The same with each share times its cell's weight."""
        return replace(self, shares=self.shares * self.weights)

    def moment(self, power: int) -> float:
        """Mean of a power of the distance from the mean."""
        v, w = self.values.astype(np.longdouble), self.shares.astype(np.longdouble)
        mean = (v * w).sum() / w.sum()
        return float(((v - mean) ** power * w).sum() / w.sum())


def _sum(h: Hand) -> float:
    return float((h.values.astype(np.longdouble) * h.shares).sum())


def _mean(h: Hand) -> float:
    return _sum(h) / float(h.shares.astype(np.longdouble).sum())


def _over(top: float, bottom: float) -> float:
    return top / bottom if bottom > 0 else np.nan


def _heavy(h: Hand, sign: int) -> float:
    """The heaviest class, ties to the larger value; with -1 the lightest, ties to the smaller."""
    classes = h.classes
    return max(classes, key=lambda c: (sign * round(classes[c], 9), sign * c))


def _first(h: Hand, extreme: Callable[[NDArray[Any]], float]) -> int:
    return int(np.flatnonzero(h.values == extreme(h.values))[0])


def _x(h: Hand, extreme: Callable[[NDArray[Any]], float]) -> float:
    return float(_xs(h)[_first(h, extreme)])


def _y(h: Hand, extreme: Callable[[NDArray[Any]], float]) -> float:
    return float(_ys(h)[_first(h, extreme)])


def _xs(h: Hand) -> NDArray[Any]:
    return h.lattice.x0 + (h.cols + 0.5) * h.lattice.dx


def _ys(h: Hand) -> NDArray[Any]:
    return h.lattice.y0 - (h.rows + 0.5) * h.lattice.dy


def _ids(h: Hand) -> list[int]:
    width = h.extent.right - h.extent.left
    ids = (h.rows - h.extent.top) * width + h.cols - h.extent.left
    return ids.tolist()  # type: ignore[no-any-return]


def _pairs(classes: Mapping[float, float], factor: float = 1.0) -> list[dict[str, float]]:
    return [{"class": c, "value": w * factor} for c, w in classes.items()]


def histogram(h: Hand, bins: Any = 10) -> list[dict[str, float]]:
    """What numpy.histogram says, as (class, value) pairs."""
    if not len(h.values):
        return []
    sums, edges = np.histogram(h.values, bins, weights=h.shares)
    return _pairs(dict(zip(edges[:-1].tolist(), sums.tolist(), strict=True)))


BY_HAND: Mapping[str, Callable[[Hand], Any]] = {
    "count": lambda h: h.shares.sum(),
    "sum": _sum,
    "mean": _mean,
    "min": lambda h: h.values.min(),
    "max": lambda h: h.values.max(),
    "range": lambda h: h.values.max() - h.values.min(),
    "std": lambda h: h.moment(2) ** 0.5,
    "variance": lambda h: h.moment(2),
    "cv": lambda h: h.moment(2) ** 0.5 / _mean(h) if _mean(h) else np.nan,
    "skew": lambda h: h.moment(3) / h.moment(2) ** 1.5 if h.moment(2) > 0 else np.nan,
    "kurtosis": lambda h: h.moment(4) / h.moment(2) ** 2 - 3 if h.moment(2) > 0 else np.nan,
    "median": lambda h: quantile(h.values, h.shares, 0.5),
    "p90": lambda h: quantile(h.values, h.shares, 0.9),
    "mode": partial(_heavy, sign=1),
    "minority": partial(_heavy, sign=-1),
    "variety": lambda h: len(h.classes),
    "unique": lambda h: list(h.classes),
    "frac": lambda h: _pairs(h.classes, 1 / max(h.shares.sum(), 1e-300)),
    "class_count": lambda h: _pairs(h.classes),
    "class_area": lambda h: _pairs(h.classes, _over(h.area, h.total)),
    "histogram": histogram,
    "values": lambda h: h.values.tolist(),
    "coverage": lambda h: h.shares.tolist(),
    "cell_id": _ids,
    "center_x": lambda h: _xs(h).tolist(),
    "center_y": lambda h: _ys(h).tolist(),
    "min_x": partial(_x, extreme=np.min),
    "min_y": partial(_y, extreme=np.min),
    "max_x": partial(_x, extreme=np.max),
    "max_y": partial(_y, extreme=np.max),
    "value": lambda h: h.heaviest if sum(h.reasons.values()) else _mean(h),
    "weighted_sum": lambda h: _sum(h.weighted),
    "weighted_mean": lambda h: _mean(h.weighted),
    "weighted_std": lambda h: h.weighted.moment(2) ** 0.5,
    "weighted_variance": lambda h: h.weighted.moment(2),
    "weighted_frac": lambda h: _pairs(h.weighted.classes, 1 / max(h.weighted.shares.sum(), 1e-300)),
    "clear_fraction": lambda h: _over(h.shares.sum(), h.shares.sum() + h.reasons["n_masked"]),
    "valid_fraction": lambda h: _over(h.shares.sum(), h.total),
    "area": lambda h: h.area,
    "valid_area": lambda h: h.area * _over(h.shares.sum(), h.total),
    "n_total": lambda h: h.total,
    "n_nodata": lambda h: h.reasons["n_nodata"],
    "n_nan": lambda h: h.reasons["n_nan"],
    "n_masked": lambda h: h.reasons["n_masked"],
    "n_outside": lambda h: h.reasons["n_outside"],
}
"""Statistic -> its number or list, from the cells; a new statistic needs its line here."""

LISTED = ("unique", "frac", "weighted_frac", "class_count", "class_area", "histogram", "values",
          "coverage", "cell_id", "center_x", "center_y")  # fmt: skip
"""What is an empty list, not null, where no cell has a value."""


def broken_by_hand(h: Hand, breakdown: Breakdown) -> dict[str, float]:
    """Every column by class or bin: 0 for a class that is not there, NaN without any value."""
    found: dict[str, float] = {}
    for name, value in breakdown.classes:
        near = np.isclose(h.values, value, rtol=1e-7, atol=1e-12)
        count = float(h.shares[near].sum())
        found[f"unique_{name}"] = float(near.any())
        found[f"frac_{name}"] = _over(count, h.shares.sum())
        found[f"class_count_{name}"] = count
        found[f"class_area_{name}"] = h.area * _over(count, h.total)
    sums = np.histogram(h.values, breakdown.edges, weights=h.shares)[0]
    names = (f"histogram_{edge}" for edge in breakdown.bin_names)
    found |= dict(zip(names, sums.tolist(), strict=True))
    found = {name.replace(".", "_"): number for name, number in found.items()}
    return found if len(h.values) else dict.fromkeys(found, np.nan)


FIXED = Bins(4, (0.0, 60.0))
"""Bins that are the same for every zone, for lists."""
