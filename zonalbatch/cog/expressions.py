"""Expressions over arrays that may lack cells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zonalbatch.expression import check, parse

__all__ = ["evaluated"]


def evaluated(text: str, arrays: Mapping[str, NDArray[Any]], fill: float | None) -> NDArray[Any]:
    """What an expression makes of arrays, (1, row, col) of float64; masked where it is no number.

    Args:
        text: in the language of measurements.
        arrays: (row, col) by name; a cell that one lacks, the result lacks.
        fill: of cells without a value; None takes NaN.

    Raises:
        ExpressionError: it is none, or names another array.
    """
    expression = parse(text)
    check(expression, arrays)
    values = {
        name: np.ma.filled(np.ma.asarray(array, np.float64), np.nan)
        for name, array in arrays.items()
    }
    with np.errstate(all="ignore"):
        found = expression(values)
    return np.ma.masked_array(
        np.where(np.isfinite(found), found, np.nan if fill is None else fill)[None],
        ~np.isfinite(found)[None],
        fill_value=np.nan if fill is None else fill,
    )
