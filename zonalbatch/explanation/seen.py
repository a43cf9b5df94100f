"""Seen: the covered cells of one tile, as the engine has just reduced them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from zonalbatch.cover.cells import USER_MASK, VALID, Layout, gather
from zonalbatch.lattice import TILE
from zonalbatch.measure import BandCells, Measurement
from zonalbatch.work.layer_work import LayerWork
from zonalbatch.work.mosaic import Mosaic
from zonalbatch.work.schedule import Step
from zonalbatch.work.tile_cells import TileCells

__all__ = ["Some", "seen_of"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Some:
    """The covered cells of one tile."""

    row: Ints
    """(cell,) in the lattice."""
    col: Ints
    fraction: Floats
    raw: dict[str, BandCells]
    value: Floats
    weight: Floats
    """NaN where there is none."""
    reason: NDArray[np.uint8]
    masked: Ints
    grown: NDArray[np.bool_]


def seen_of(work: LayerWork, step: Step, layout: Layout, measurement: Measurement) -> Some:
    """What the engine has just reduced of one tile."""
    tiles = work.tiles(step, layout)
    seen = work.measured(tiles, layout, measurement)
    cells = seen.cells
    reason = cells.reasons if len(cells.reasons) else np.full(layout.size, VALID, np.uint8)
    value = BandCells(cells.values, reason, seen.encoding).physical()
    at = gather(np.arange(TILE * TILE).reshape(TILE, TILE), layout)
    (inner,), ((start, stop),) = layout.inner, layout.cell_span
    masked, grown = _masked(tiles, seen, measurement, reason)
    return Some(
        row=layout.tile_row * TILE + at // TILE,
        col=layout.tile_col * TILE + at % TILE,
        fraction=np.concatenate([np.ones(inner), layout.shares[start:stop]]),
        raw={name: _answering(tiles, seen, name) for name in measurement.bands},
        value=np.where(reason == VALID, value, np.nan),
        weight=_weights(layout),
        reason=reason,
        masked=masked,
        grown=grown,
    )


def _masked(
    tiles: Sequence[TileCells], seen: Mosaic, measurement: Measurement, reason: NDArray[np.uint8]
) -> tuple[Ints, NDArray[np.bool_]]:
    """(cell,) the first mask that took a cell, -1 for none, and whether only as it grows."""
    masked, grown = np.full(len(reason), -1), np.zeros(len(reason), bool)
    scene = seen.scene if len(seen.scene) else np.zeros(len(reason), np.uint16)
    for number, tile in enumerate(tiles):
        for at, mask in enumerate(measurement.masks):
            takes, itself = tile.masked(mask), tile.masked_itself(mask)
            if not len(takes):
                continue
            open_ = (scene == number) & (reason == USER_MASK) & (masked < 0)
            taken = open_ & (takes == USER_MASK)
            masked[taken] = at
            grown |= taken & (itself != USER_MASK) if len(itself) else taken
    return masked, grown


def _answering(tiles: Sequence[TileCells], seen: Mosaic, band: str) -> BandCells:
    """A band at the cells of a tile, each of the scene that answered."""
    first = tiles[0].band(band)
    if not len(seen.scene):
        return first
    every = [tile.band(band) for tile in tiles]
    reasons = [b.reasons if len(b.reasons) else np.zeros(len(b.values), np.uint8) for b in every]
    at = seen.scene, np.arange(len(seen.scene))
    return replace(
        first, values=np.stack([b.values for b in every])[at], reasons=np.stack(reasons)[at]
    )


def _weights(layout: Layout) -> Floats:
    """(cell,) weights of a tile's cells, NaN where there are none."""
    if layout.weighted is None:
        return np.full(layout.size, np.nan)
    lacking, weight = layout.weighted.lacking, layout.weighted.weight
    return np.where(lacking == VALID, weight, np.nan) if len(lacking) else weight
