"""Labels: columns, dates and causes as people read them."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from zonalbatch.explore.columns import Column

__all__ = ["day_told", "label_of", "some_of"]

SHORT = frozenset({
    "dem", "evi", "evi2", "fapar", "gndvi", "lai", "lst", "msavi", "nbr", "ndbi", "ndmi", "ndre",
    "ndsi", "ndvi", "ndwi", "osavi", "savi", "vh", "vv",
})  # fmt: skip
"""Names that are written in capitals."""
TOLD = {
    "std": "standard deviation", "variance": "variance, its unit squared", "min": "minimum",
    "max": "maximum", "count": "valid cells", "n_total": "cells", "n_nodata": "cells without data",
    "n_nan": "cells that are no number", "n_masked": "masked cells",
    "n_outside": "cells outside of files", "area": "area, m²", "valid_area": "seen area, m²",
    "valid_fraction": "share of cells that are valid", "cv": "coefficient of variation",
    "clear_fraction": "share of cells that are clear",
}  # fmt: skip
"""Statistics whose names say little, and those that have a unit."""


def label_of(column: Column) -> str:
    """``NDVI mean``, ``red 10th percentile``, ``NDVI masked cells``."""
    name = column.measurement
    said = name.upper() if name.lower() in SHORT else name.replace("_", " ")
    return f"{said} {_statistic(column.statistic)}"


def _statistic(name: str) -> str:
    found = re.fullmatch(r"p(\d+(?:\.\d+)?)", name)
    if found is None:
        return TOLD.get(name, name.replace("_", " "))
    number = found[1]
    teens = number[-2:] in ("11", "12", "13") or "." in number
    end = "th" if teens else {"1": "st", "2": "nd", "3": "rd"}.get(number[-1], "th")
    return f"{int(number) if number.isdigit() else number}{end} percentile"


def day_told(time: Any) -> str:
    """``2018-05-06``; the name itself of a layer without a date."""
    return str(np.datetime_as_string(time, "D")) if isinstance(time, np.datetime64) else str(time)


def some_of(number: int, what: str) -> str:
    """``1 zone``, ``2,478 zones``."""
    return f"{number:,} {what}{'s' * (number != 1)}"
