"""Shares: sums of shares of cells as integers, the same bits in whatever order they come.

A sum is a pair: whole cells, and what is left of a cell in units of 2^-52.
"""

from __future__ import annotations

import numpy as np

from zonalbatch.kernels import kernel

__all__ = ["BITS", "UNIT", "add_share"]

BITS = 52
UNIT = 2.0**-BITS
"""Shares are counted in this; a sum carries what fills a cell, so that it does not overflow."""


@kernel()
def add_share(share, tally):
    """Add a share, which may be above 1 (metres of a line), to a pair, and carry."""
    ones = np.int64(share)
    sum_ = tally[1] + np.int64((share - ones) / UNIT + 0.5)
    tally[0] += ones + (sum_ >> BITS)
    tally[1] = sum_ & ((np.int64(1) << BITS) - 1)
