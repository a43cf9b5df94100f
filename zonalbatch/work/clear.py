"""Clear: rows of zones of which too little is seen have no statistics."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from zonalbatch.work.layer_work import LayerSummary, without

__all__ = ["filtered"]

CLEAR = "clear_fraction"
"""The statistic that a row is judged by, and that remains of it."""


def filtered(summary: LayerSummary, min_clear: float) -> LayerSummary:
    """A summary without the statistics of zones that are less clear than wanted.

    What remains is ``clear_fraction``, which says why. A zone without data is not judged.
    """
    if not min_clear:
        return summary
    unclear = np.less(summary.clear, min_clear)  # False for NaN
    return replace(
        summary,
        filtered=unclear,
        columns={
            key: column if key[1] == CLEAR else without(unclear, column)
            for key, column in summary.columns.items()
        },
        approximate={key: rough & ~unclear for key, rough in summary.approximate.items()},
    )
