"""Lists: what is told cell by cell of a zone, and functions that are shown its cells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zonalbatch.compat.exactextract.raster import RasterSource
from zonalbatch.cover.cells import VALID
from zonalbatch.lattice import Grid
from zonalbatch.statistics.zone_cells import ZoneCells

__all__ = ["CellList", "UserFunction", "cell_lists", "lacks_weights", "values_of"]

Objects = NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class CellList:
    """A statistic that is whatever a function makes of a zone's cells."""

    name: str
    make: Callable[[ZoneCells], Any]
    empty: Any = None
    """The result of zones without cells."""
    weighted: bool = False
    """True if it tells of weights."""

    @property
    def document(self) -> Mapping[str, Any]:
        """It is part of no job."""
        return {"name": self.name}

    def of(self, cells: ZoneCells) -> Any:
        """The result of one zone."""
        return self.make(cells)

    def column(self, results: Mapping[int, Any], n_zones: int) -> Any:
        """(zone,) results."""
        column: Objects = np.empty(n_zones, dtype=object)
        column[:] = [results.get(zone, self.empty) for zone in range(n_zones)]
        return column


def cell_lists(name: str, stat: str, source: RasterSource) -> CellList:
    """The list of a zone's cells that a statistic is, by a name."""
    header = source.opened().pixels.header
    makers: Mapping[str, Callable[[ZoneCells], NDArray[Any]]] = {
        "values": values_of,
        "coverage": lambda cells: cells.share,
        "weights": lambda cells: cells.weight,
        "cell_id": partial(_cell_ids, header.grid),
        "center_x": lambda cells: cells.lattice.x0 + cells.lattice.dx * (cells.col + 0.5),
        "center_y": lambda cells: cells.lattice.y0 - cells.lattice.dy * (cells.row + 0.5),
    }
    make = makers[stat]
    return CellList(name, lambda cells: make(cells.valid), np.zeros(0), stat == "weights")


def lacks_weights(cells: ZoneCells) -> bool:
    """True if a valid cell of a zone has no weight."""
    return bool((cells.valid.unweighed != VALID).any())


def values_of(cells: ZoneCells) -> NDArray[Any]:
    """Physical values, in the raster's own type where they are its own."""
    return cells.raw if (cells.scale, cells.offset) == (1.0, 0.0) else cells.physical


def _cell_ids(grid: Grid, cells: ZoneCells) -> NDArray[np.int64]:
    """Number of each cell in its raster, from the north-west, row by row."""
    top, left, _, _ = grid.window
    return (cells.row - top) * grid.shape[1] + cells.col - left


@dataclass(frozen=True, slots=True)
class UserFunction:
    """A function of the user's that is shown all cells of a zone in the raster, valid or not."""

    name: str
    call: Callable[..., Any]
    weighted: bool
    """True if it takes weights."""

    @property
    def document(self) -> Mapping[str, Any]:
        """It is part of no job."""
        return {"name": self.name}

    def of(self, cells: ZoneCells) -> Any:
        """What the function returns."""
        inside = cells.inside
        if not len(inside.raw):
            return None
        values = np.ma.masked_array(values_of(inside), mask=inside.reason != VALID)
        given = [values, inside.share, np.ma.masked_invalid(inside.weight)]
        return returned(self.call(*given[: 2 + self.weighted]))

    def column(self, results: Mapping[int, Any], n_zones: int) -> Any:
        """(zone,) results, None where the function was not called."""
        column: Objects = np.empty(n_zones, dtype=object)
        column[:] = [results.get(zone) for zone in range(n_zones)]
        return column


def returned(result: Any) -> Any:
    """A result as a field can hold it.

    Raises:
        RuntimeError: it cannot.
    """
    if isinstance(result, np.generic):
        result = result.item()
    if result is None or isinstance(result, int | float | str):
        return result
    if isinstance(result, np.ndarray) and result.dtype.kind in "iuf":
        return result
    raise RuntimeError(
        f"Unhandled type returned from Python operation: {type(result).__name__}; return a number, "
        "text, an array of numbers, or None"
    )
