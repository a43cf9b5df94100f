"""Statistic: one result column, and what it needs to be told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from zonalbatch.breakdown import Breakdown, column_text
from zonalbatch.statistics.functions import OfCells
from zonalbatch.statistics.summary import Column, Summary

__all__ = ["CAPPED", "NUMBER", "ROLLED", "Statistic"]

Floats = NDArray[np.float64]

NUMBER = pa.float64()

CAPPED = ("values", "inverted", "classes", "counted")
"""States that know of each zone whether they are `approximate`."""

ROLLED = (*CAPPED, "central", "area")
"""States that can be made again from columns of a result (``rolled.py``)."""


@dataclass(frozen=True, slots=True)
class Statistic:
    """One result column, computed from the summary of each zone."""

    name: str
    """Its standard name: ``mean``, ``p90``."""
    finalize: Callable[[Summary], Column]
    """(zone,) values, NaN for none, from a finished summary."""
    state: str | None = None
    """The state that it needs beside the moments."""
    kind: pa.DataType = NUMBER
    """Type of the column."""
    probability: float | None = None
    """The probability of a quantile, 0 to 1."""
    by: Literal["class", "bin"] | None = None
    """What it is told by, as a list, or as a column each where classes or edges are given."""
    edges: tuple[float, ...] = ()
    """The edges of its bins, where they hold for all zones."""
    of_one: Callable[[Summary, Breakdown, int], Floats] | None = None
    """(zone,) numbers of one of the given classes or bins."""
    beside: str | None = None
    """Another state that it needs."""
    function: OfCells | None = None
    """What tells it of a whole zone's cells, if it is no name of the vocabulary."""

    @property
    def asked(self) -> str | OfCells:
        """What stands for it in a recipe: its name, or the function."""
        return self.name if self.function is None else self.function

    @property
    def column(self) -> str:
        """Its name as a column: ``p2.5`` becomes ``p2_5``."""
        return column_text(self.name)

    @property
    def detailed(self) -> bool:
        """True if it needs all that its state can keep: every class of a zone."""
        return not self.edges and (self.listed or self.by is not None)

    @property
    def weighted(self) -> bool:
        """True if it needs weights of the cells."""
        return self.state == "weighted" or (self.function is not None and self.function.weighted)

    @property
    def listed(self) -> bool:
        """True if each row holds a list, or several numbers."""
        return bool(pa.types.is_nested(self.kind))

    @property
    def capped(self) -> bool:
        """True if it is exact only up to so many cells, beyond which a row says `approximate`."""
        return self.state in CAPPED

    @property
    def rolls(self) -> bool:
        """True if it can be told of rows that are rolled up."""
        return all(state in (None, *ROLLED) for state in (self.state, self.beside))
