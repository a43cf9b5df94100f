"""Quantiles of one set of values, by the kernel that has them of many zones."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from zonalbatch.statistics.quantiles import QuantileMethod, zone_quantiles


def quantiles_of(
    values: NDArray[Any],
    shares: NDArray[np.float64],
    probabilities: NDArray[np.float64],
    method: QuantileMethod = "linear",
) -> NDArray[np.float64]:
    """Weighted quantiles of one set of values; NaN if there is none.

    Args:
        values: (n,) valid values.
        shares: (n,) share of each cell, > 0.
        probabilities: (q,) between 0 and 1.
        method: where a quantile lies among the values.
    """
    rising, place = np.unique(probabilities, return_inverse=True)
    out = np.empty((1, len(rising)))
    zero, n = np.zeros(1, np.int64), np.array([len(values)])
    zone_quantiles(
        values, zero, zero, values, zero, n, np.asarray(shares, float), zero,
        zero, np.zeros(1, np.int32), rising.astype(float), method == "inverted_cdf", out,
    )  # fmt: skip
    result: NDArray[np.float64] = out[0, place]
    return result
