"""Weights: what a second raster says of the covered cells, tile by tile.

They do not depend on a layer, so the first layer on a lattice reads them as it goes, and what fits
into the memory given is kept for the others; the rest is read again with each of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zonalbatch.cover.cells import ALL_VALID, NODATA, Layout, first_reason, gather
from zonalbatch.cover.weighing import Weighed
from zonalbatch.errors import PermanentReadError, ReadError
from zonalbatch.lattice import TILE
from zonalbatch.layers import Asset
from zonalbatch.measure import BandCells
from zonalbatch.sources.protocol import Header
from zonalbatch.sources.secrets import shown
from zonalbatch.work.encoding import encoding_of
from zonalbatch.work.overlap import Overlap, Patch
from zonalbatch.work.place import Place
from zonalbatch.work.reading import Handles, SheetReader, read_ahead
from zonalbatch.work.schedule import Sheet

__all__ = ["WeightTiles", "Weights"]


@dataclass(frozen=True, slots=True, eq=False)
class WeightTiles:
    """The weights of one layer's tiles on one lattice, while the layer is worked on."""

    href: str
    """The file that holds them."""
    tiles: Iterator[Weighed]
    """Tile by tile, in order."""
    errors: Mapping[str, ReadError]
    """What could not be read so far, by the words of the error."""


@dataclass(slots=True, eq=False)
class Weights:
    """The weights of the cells of some lattices."""

    asset: Asset
    """The band that holds them."""
    handles: Handles
    pool: ThreadPoolExecutor
    """Where it is read."""
    ahead: int
    """Bytes that may be read before they are asked for."""
    room: int
    """Bytes left for weights that are kept."""
    _errors: dict[Place, dict[str, ReadError]] = field(default_factory=dict)
    _kept: dict[Place, dict[int, Weighed]] = field(default_factory=dict)

    def along(self, place: Place, layouts: Sequence[Layout], *, keep: bool) -> WeightTiles:
        """The layouts of a lattice with their weights, in order, each read when it is asked for.

        Args:
            place: where their cells lie.
            layouts: the tiles.
            keep: True if they will come again.
        """
        errors = self._errors.setdefault(place, {})
        return WeightTiles(self.asset.href, self._tiles(place, layouts, keep), errors)

    def _tiles(self, place: Place, layouts: Sequence[Layout], keep: bool) -> Iterator[Weighed]:
        kept = self._kept.setdefault(place, {})
        fresh = self._read(place, [one for i, one in enumerate(layouts) if i not in kept])
        for i in range(len(layouts)):
            found = kept[i] if i in kept else next(fresh)
            if keep and i not in kept and found.nbytes <= self.room:
                self.room -= found.nbytes
                kept[i] = found
            yield found

    def _read(self, place: Place, layouts: Sequence[Layout]) -> Iterator[Weighed]:
        """Some layouts with their weights, read ahead of their use."""
        if not layouts:
            return
        sheet = Sheet(self.asset.href, (self.asset.band,), self.asset.grid)
        header, errors = self._header(), self._errors[place]
        if isinstance(header, ReadError):
            errors[str(header)] = header
        block = sheet.grid.shape if isinstance(header, ReadError) else header.block
        patches, schedule = Overlap(sheet.grid, place.lattice).planned(layouts, block)
        reader = SheetReader(sheet, header, schedule, self.handles)
        pixel = reader.dtype.itemsize
        steps = (
            ((step, patch), reader.reads(step), schedule.cells(step) * pixel)
            for step, patch in enumerate(patches)
        )
        read = read_ahead(steps, self.pool, self.ahead)
        for i, group in groupby(read, key=lambda found: found[0][1].layout):
            found = self._weighed(layouts[i], reader, group)
            errors.update({str(error): error for error in reader.failures})
            yield found

    def _header(self) -> Header | ReadError:
        """What the file says, if it is what it was planned with."""
        header = self.handles.header(self.asset.href)
        grid = self.asset.grid
        if isinstance(header, Header) and header.grid.on(grid.lattice) != grid:
            return PermanentReadError(
                f"the weights {shown(self.asset.href)} have another grid than when the run "
                "was planned; plan again"
            )
        return header

    def _weighed(
        self, layout: Layout, reader: SheetReader, read: Iterator[tuple[Any, list[Any]]]
    ) -> Weighed:
        """One tile's cells with their weights."""
        weight, lacking = np.zeros((TILE, TILE)), np.zeros((TILE, TILE), np.uint8)
        for (step, patch), rects in read:
            reader.keep([rect for some in rects for rect in some], step)
            here = patch.rows, patch.cols
            weight[here], lacking[here] = patch.averaged(*self._under(patch, reader))
        reasons = gather(lacking, layout)
        none = reasons if reasons.any() else ALL_VALID
        return Weighed.of(layout, gather(weight, layout), none)

    def _under(
        self, patch: Patch, reader: SheetReader
    ) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        """(row, col) weights under a patch, and why there are none; one below 0 is none."""
        pixels, absent, valid = reader.pixels_in(patch.under)
        told = BandCells.told(
            pixels[0].ravel(),
            None if absent is None else absent.ravel(),
            None if valid is None else valid.ravel(),
            encoding_of(self.asset, reader.header),
        )
        weights = told.physical()
        negative = (weights < 0) * np.uint8(NODATA)
        reasons = first_reason(told.reasons, negative)
        shape = pixels.shape[1:]
        return weights.reshape(shape), np.asarray(reasons).reshape(shape)
