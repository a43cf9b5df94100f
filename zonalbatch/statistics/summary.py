"""Summary: all states of one measurement of one layer, gathered tile by tile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from zonalbatch.cover.cells import FILE_MASK, OUTSIDE, UNREAD, USER_MASK, Cells, Covered
from zonalbatch.lattice import Window
from zonalbatch.statistics.moments import COUNT, Moments

__all__ = ["Column", "State", "Summary"]

Column: TypeAlias = NDArray[np.float64] | pa.Array
"""(zone,) numbers, NaN for none; or an Arrow array of lists or structs."""


class State(Protocol):
    """A mergeable summary of the cells of each zone."""

    def add(self, cells: Cells) -> None:
        """Fold in the cells of one tile; tiles come in row-major order."""

    def finish(self, scale: float, offset: float) -> None:
        """Close the state and bring it from raw to physical values; ``scale`` is positive."""


class Capped(State, Protocol):
    """A state that is exact up to so many cells of a zone."""

    approximate: NDArray[np.bool_]
    """(zone,) True if the zone has more, so that its numbers are approximate, or null."""


class Summary:
    """All states of one measurement of one layer, gathered tile by tile."""

    def __init__(
        self,
        total: NDArray[np.float64],
        beyond: NDArray[np.bool_],
        moments: Moments,
        states: Mapping[str, Any],
        averages: Moments | None = None,
        extent: Window | None = None,
    ) -> None:
        self.total = total
        """(zone,) sum of shares, cells."""
        self.beyond = beyond
        """(zone,) True if cells of the zone lie where no tile was visited."""
        self.extent = extent
        """The cells of the layer's files on the measuring lattice, where they are known."""
        self.moments = moments
        """What is counted and summed."""
        self.averages = averages or moments
        """What means and variances are told from."""
        self._states = dict(states)

    @classmethod
    def of(cls, covered: Covered, states: Mapping[str, State], extent: Window) -> Summary:
        """An empty summary of the zones of a coverage."""
        coverage = covered.coverage
        moments = Moments(coverage.n_zones)
        averages = None if covered.averaging is None else Moments(coverage.n_zones)
        return cls(coverage.zone_total, coverage.beyond, moments, states, averages, extent)

    def state(self, name: str) -> Any:
        """One of the states that were asked for."""
        same = "classes" if name == "counted" and name not in self._states else name
        return self._states[same]

    def add(self, cells: Cells) -> None:
        """Fold in the cells of one tile; tiles must come in row-major order."""
        self.moments.add(cells)
        if self.averages is not self.moments:
            self.averages.add(cells.averaged)
        for state in self._states.values():
            state.add(cells)

    def finish(self, scale: float, offset: float) -> None:
        """Close the states and bring them from raw to physical values."""
        self.moments.finish(scale, offset)
        if self.averages is not self.moments:
            self.averages.finish(scale, offset)
        for state in self._states.values():
            state.finish(scale, offset)

    def approximate(self, name: str) -> NDArray[np.bool_]:
        """(zone,) True if what one of the capped states tells is approximate."""
        state: Capped = self.state(name)
        return state.approximate

    @property
    def met(self) -> NDArray[np.bool_]:
        """(zone,) True if a covered cell lies in the layer's files."""
        met: NDArray[np.bool_] = np.delete(self.moments.counts, OUTSIDE, axis=1).sum(axis=1) > 0
        return met

    @property
    def unread(self) -> NDArray[np.bool_]:
        """(zone,) True if a cell of the zone could not be read."""
        return self.moments.counts[:, UNREAD] > 0

    @property
    def unweighed(self) -> NDArray[np.bool_]:
        """(zone,) True if the weight of a cell of the zone could not be read."""
        if "weighted" not in self._states:
            return np.zeros(len(self.total), bool)
        unread: NDArray[np.bool_] = self._states["weighted"].unread
        return unread

    @property
    def count(self) -> NDArray[np.float64]:
        """(zone,) sum of the shares of the valid cells."""
        return self.moments.state[:, COUNT]

    @property
    def masked(self) -> NDArray[np.float64]:
        """(zone,) sum of the shares of the cells that the file or the user masks."""
        counts = self.moments.counts
        return counts[:, FILE_MASK] + counts[:, USER_MASK]

    @property
    def clear(self) -> NDArray[np.float64]:
        """(zone,) share of valid cells among those with data, masked or not; NaN without data."""
        seen = self.count + self.masked
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(seen > 0, self.count / seen, np.nan)

    def of_valid(self, column: NDArray[np.float64]) -> NDArray[np.float64]:
        """A column with NaN where the zone has no valid cell."""
        return np.where(self.count > 0, column, np.nan)
