"""Masking: which cells a mask takes away, by the values of its band there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zonalbatch.cover.cells import ALL_VALID, OUTSIDE, UNREAD, USER_MASK, VALID, first_reason
from zonalbatch.lattice import TILE, Lattice
from zonalbatch.masks.dilation import dilated
from zonalbatch.masks.held import held
from zonalbatch.masks.mask import Bits, Mask

if TYPE_CHECKING:
    from zonalbatch.measure import BandCells

__all__ = ["flag", "grown", "reasons_of"]


def reasons_of(mask: Mask, cells: BandCells) -> NDArray[np.uint8]:
    """(cell,) USER_MASK where a mask's band says so; of length 0 if no cell is masked.

    Cells beyond the band's file, or unread, are said to be so.
    """
    reasons = first_reason(*(flag(where, USER_MASK) for where in _unwanted(mask, cells)))
    if not len(cells.reasons):
        return reasons
    if len(reasons):  # what has no value is of no class
        reasons = np.where(cells.reasons == VALID, reasons, np.uint8(VALID))
    silent = np.uint8(USER_MASK if mask.nodata else VALID)
    return first_reason(reasons, np.where(cells.reasons > OUTSIDE, silent, cells.reasons))


def grown(
    reasons: NDArray[np.uint8], lattice: Lattice, metres: float, tile_row: int
) -> NDArray[np.uint8]:
    """(512, 512) reasons of a tile under a mask that has grown by some metres.

    Where a cell that could not be read is near, and none that is masked, it is unknown: unread.

    Args:
        reasons: (row, col) of the window `around` the tile, before the mask grows.
        lattice: of the tile's cells.
        metres: by how much it grows.
        tile_row: which row of tiles.
    """
    rows, cols = (np.array(reasons.shape) - TILE) // 2
    own = reasons[rows : rows + TILE, cols : cols + TILE]
    near, doubtful = (
        dilated(reasons == reason, lattice, metres, tile_row) for reason in (USER_MASK, UNREAD)
    )
    told = np.where(
        near, np.uint8(USER_MASK), np.where(doubtful, np.uint8(UNREAD), np.uint8(VALID))
    )
    return np.where(own == VALID, told, own)


def _unwanted(mask: Mask, cells: BandCells) -> Iterator[NDArray[np.bool_]]:
    """(cell,) True where one of the mask's rules says so, whether there is a value or not."""
    if mask.values or mask.keep:
        listed = _is_listed(cells.values, mask.values)
        yield ~listed if mask.keep else listed
    for one in mask.bits:
        number = _number(cells.values, one)
        yield np.logical_or.reduce([number == excluded for excluded in one.exclude])
    if mask.above is not None or mask.below is not None:
        values = cells.physical()
        if mask.above is not None:
            yield values > mask.above
        if mask.below is not None:
            yield values < mask.below


def _number(values: NDArray[Any], bits: Bits) -> NDArray[np.int64]:
    """(cell,) what some bits say, as a whole number."""
    assert bits.offset is not None, "bits that were not looked up"
    with np.errstate(invalid="ignore"):  # NaN, of a quality band that is stored as real numbers
        number: NDArray[np.int64] = values.astype(np.int64) >> bits.offset & (1 << bits.length) - 1
    return number


def _is_listed(values: NDArray[Any], listed: Sequence[Any]) -> NDArray[np.bool_]:
    found = held(listed, values.dtype)
    if values.dtype.kind in "iu" and values.dtype.itemsize <= 2:
        info = np.iinfo(values.dtype)
        table = np.zeros(info.max - info.min + 1, bool)
        table[found.astype(np.int64) - info.min] = True
        return table[values.astype(np.int64) - info.min if info.min else values]
    return np.isin(values, found)


def flag(where: NDArray[np.bool_], reason: int) -> NDArray[np.uint8]:
    """(cell,) a reason where something holds; of length 0 if it holds nowhere."""
    return where.view(np.uint8) * np.uint8(reason) if where.any() else ALL_VALID
