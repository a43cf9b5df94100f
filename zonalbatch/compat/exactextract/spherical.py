"""Spherical: figures whose cells count by their area on a sphere, as on a map in degrees.

The engine knows the areas of zones, not of cells; so these few figures are NumPy's on the cells.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from zonalbatch.compat.exactextract.lists import values_of
from zonalbatch.statistics.zone_cells import ZoneCells

__all__ = ["SPHERICAL", "sphere_figure"]

RADIUS = 6378137.0
"""Of the sphere, metres."""

SPHERICAL = (
    "coefficient_of_variation", "count", "coverage", "frac", "majority", "mean", "median",
    "minority", "mode", "quantile", "stdev", "sum", "variance",
)  # fmt: skip
"""Statistics that depend on the areas of cells."""

Floats = NDArray[np.float64]


def sphere_figure(stat: str, q: float | None, unit: float, cells: ZoneCells) -> Any:
    """One statistic of the valid cells of a zone, each weighted by its share times its area.

    Args:
        stat: one of `SPHERICAL`.
        q: probability of a quantile.
        unit: what an area of 1 m² counts.
        cells: of the zone, on a grid in degrees.
    """
    valid = cells.valid
    values, weights = values_of(valid), valid.share * _areas(valid) * unit
    if stat in ("median", "quantile"):
        return _quantile(values.astype(np.float64), weights, 0.5 if q is None else q)
    if stat in ("frac", "mode", "majority", "minority"):
        return _of_classes(stat, values, weights)
    return _moment(stat, values.astype(np.float64), weights)


def _areas(cells: ZoneCells) -> Floats:
    """(cell,) areas, m²: between two parallels of a sphere, by the sine of their latitudes."""
    lattice = cells.lattice
    top = lattice.y0 - lattice.dy * cells.row
    height = np.sin(np.radians(top)) - np.sin(np.radians(top - lattice.dy))
    areas: Floats = RADIUS**2 * np.abs(height) * np.radians(lattice.dx)
    return areas


def _moment(stat: str, values: Floats, weights: Floats) -> Any:
    total = float(weights.sum())
    if stat in ("count", "sum", "coverage"):
        return {"count": total, "sum": float(values @ weights), "coverage": weights}[stat]
    if not total:
        return float("nan")
    mean = float(values @ weights) / total
    variance = float((values - mean) ** 2 @ weights) / total
    if stat == "coefficient_of_variation":
        return float(np.sqrt(variance)) / mean if mean else float("nan")
    return {"mean": mean, "variance": variance, "stdev": float(np.sqrt(variance))}[stat]


def _of_classes(stat: str, values: NDArray[Any], weights: Floats) -> Any:
    classes, place = np.unique(values, return_inverse=True)
    sums = np.bincount(place, weights, minlength=len(classes))
    if stat == "frac":
        return sums / sums.sum() if len(sums) else sums
    if not len(sums):
        return None
    if stat == "minority":
        return classes[np.argmin(sums)].item()
    return classes[len(sums) - 1 - np.argmax(sums[::-1])].item()


def _quantile(values: Floats, weights: Floats, q: float) -> float | None:
    """The engine's definition: S_k = k·w_k + (n−1)·C_(k−1), interpolated at q·S_(n−1)."""
    if not len(values):
        return None
    order = np.lexsort((weights, values))
    values, weights = values[order], weights[order]
    before = np.cumsum(weights) - weights
    n = len(values)
    reached = np.arange(n) * weights + (n - 1) * before
    return float(np.interp(q * reached[-1], reached, values))
