"""Names of statistics that many tests ask for."""

from __future__ import annotations

COUNTS = ("count", "n_nodata", "n_nan", "n_masked", "n_outside")
"""Sums of shares that add up to n_total."""
USUAL = [
    *COUNTS, "n_total", "valid_fraction", "sum", "mean", "min", "max", "std", "median", "p90",
]  # fmt: skip
"""What whole runs and calls are mostly asked for."""
