"""Weighing: the covered cells of a tile with other weights than their shares.

What weighs cells makes a layout of the same cells in the same order, all of them kept as boundary
cells are, with a share of their own. So every state takes them as it takes any others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS

from zonalbatch.cover.areas import row_areas
from zonalbatch.cover.cells import Layout, gather
from zonalbatch.kernels import kernel
from zonalbatch.lattice import TILE, Lattice

__all__ = ["Weighed", "area_averaging", "weighed"]

LEAST = 2.0**-40
"""Relative area of cells beyond a pole: no share is 0."""


@dataclass(frozen=True, slots=True, eq=False)
class Weighed:
    """The covered cells of one tile with the weights of a raster."""

    layout: Layout
    """The cells, each with its share times its weight."""
    weight: NDArray[np.float64]
    """(cell,) the weight itself, 0 where there is none."""
    lacking: NDArray[np.uint8]
    """(cell,) why a cell has no weight, as in `cells`; of length 0 if all have one."""

    @classmethod
    def of(cls, layout: Layout, weight: NDArray[np.float64], lacking: NDArray[np.uint8]) -> Weighed:
        """The cells of a layout with these weights."""
        return cls(weighed(layout, weight), weight, lacking)

    @property
    def nbytes(self) -> int:
        """Bytes that it takes beside the layout."""
        return self.weight.nbytes + self.layout.shares.nbytes + self.lacking.nbytes


def weighed(layout: Layout, factor: NDArray[np.float64]) -> Layout:
    """The same cells, each with its share times a factor.

    Args:
        layout: the cells.
        factor: (cell,) what multiplies the share of each.
    """
    shares, total = np.empty(layout.size), np.empty(len(layout.zone))
    _scale(layout.offsets, layout.inner, layout.cell_span, layout.shares, factor, shares, total)
    return replace(
        layout,
        inner=np.zeros_like(layout.inner),
        cell_span=np.column_stack([layout.offsets[:-1], layout.offsets[1:]]),
        shares=shares,
        total=total,
        averaging=None,
        weighted=None,
    )


def area_averaging(lattice: Lattice, areal: NDArray[np.bool_]) -> Callable[[Layout], Layout] | None:
    """What weighs cells by their area on the ground; None if a lattice is not in degrees.

    Args:
        lattice: where the cells lie. On a projected one all cells count alike.
        areal: (zone,) True for areas; lines weigh by their metres and points by their number.
    """
    if not CRS.from_user_input(lattice.crs).is_geographic:
        return None
    return partial(_by_area, lattice, areal)


def _by_area(lattice: Lattice, areal: NDArray[np.bool_], layout: Layout) -> Layout:
    area = np.maximum(row_areas(lattice, layout.tile_row * TILE, TILE), LEAST)
    factor = gather(np.repeat(area, TILE), layout)
    exempt = ~areal[layout.zone]
    if exempt.any():
        factor[np.repeat(exempt, np.diff(layout.offsets))] = 1.0
    return weighed(layout, factor)


@kernel()
def _scale(offsets, inners, cell_span, shares, factor, out, total):
    for piece in range(len(inners)):
        first = offsets[piece] + inners[piece]
        shift = cell_span[piece, 0] - first
        whole = 0.0
        for i in range(offsets[piece], offsets[piece + 1]):
            out[i] = factor[i] if i < first else factor[i] * shares[i + shift]
            whole += out[i]
        total[piece] = whole
