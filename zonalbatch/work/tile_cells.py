"""Tile cells: the bands of a tile of one scene at its covered cells, and what masks take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zonalbatch.cover.cells import Layout, gather
from zonalbatch.lattice import TILE, Lattice, Window
from zonalbatch.layers import Scene
from zonalbatch.masks.dilation import around
from zonalbatch.masks.mask import Mask
from zonalbatch.masks.masking import grown, reasons_of
from zonalbatch.measure import NO_ENCODING, BandCells, Encoding, TileBand
from zonalbatch.work.reading import SheetReader

__all__ = ["SceneBands", "TileCells"]


@dataclass(frozen=True, slots=True, eq=False)
class SceneBands:
    """Where the bands of one scene come from."""

    scene: Scene
    places: Mapping[str, tuple[int, int, Encoding]]
    """Band name -> (its reader, its place among the sheet's bands, what its values mean)."""
    nothing: Mapping[Lattice, int]
    """Lattice -> the reader that stands for bands which the scene lacks."""
    extents: Mapping[Lattice, Window]
    """Where its files lie on each measuring lattice."""

    def meets(self, lattice: Lattice, layout: Layout) -> bool:
        """True if a tile has cells in the files of the scene."""
        top, left = layout.tile_row * TILE, layout.tile_col * TILE
        tile = Window(top, left, top + TILE, left + TILE)
        return not tile.intersect(self.extents[lattice]).empty


class TileCells:
    """The bands of one tile of one scene, each laid out and gathered once."""

    def __init__(
        self, readers: Sequence[SheetReader], bands: SceneBands, lattice: Lattice, layout: Layout
    ) -> None:
        self.scene = bands.scene
        self._readers, self._scene, self._lattice, self._layout = readers, bands, lattice, layout
        self._sheets: dict[int, Any] = {}
        self._bands: dict[str, BandCells] = {}
        self._masked: dict[Mask, NDArray[np.uint8]] = {}

    def band(self, name: str) -> BandCells:
        """A band at the covered cells of the tile."""
        if name not in self._bands:
            sheet, place, encoding = self._place(name)
            if sheet not in self._sheets:
                self._sheets[sheet] = self._readers[sheet].tile(self._lattice, self._layout)
            pixels, absent, valid = self._sheets[sheet]
            tile = TileBand(pixels[place], absent, valid, encoding)
            self._bands[name] = BandCells.of(tile, self._layout)
        return self._bands[name]

    def masked(self, mask: Mask) -> NDArray[np.uint8]:
        """(cell,) why a mask takes cells away; of length 0 if it takes none."""
        if mask not in self._masked:
            grows = self._grown if mask.dilate else self.masked_itself
            self._masked[mask] = grows(mask)
        return self._masked[mask]

    def masked_itself(self, mask: Mask) -> NDArray[np.uint8]:
        """As ``masked``, before the mask grows."""
        return reasons_of(mask, self.band(mask.band))

    def _grown(self, mask: Mask) -> NDArray[np.uint8]:
        lattice, layout = self._lattice, self._layout
        window = around(lattice, mask.dilate, layout.tile_row, layout.tile_col)
        sheet, place, encoding = self._place(mask.band)
        pixels, absent, valid = self._readers[sheet].cells(lattice, window)
        cells = BandCells.told(
            pixels[place].ravel(),
            None if absent is None else absent.ravel(),
            None if valid is None else valid.ravel(),
            encoding,
        )
        reasons = reasons_of(mask, cells)
        if not len(reasons):
            return reasons
        whole = reasons.reshape(window.shape)
        return gather(grown(whole, lattice, mask.dilate, layout.tile_row), layout)

    def _place(self, name: str) -> tuple[int, int, Encoding]:
        """Where a band comes from: its reader, its place there, what its values mean."""
        lacking = (self._scene.nothing.get(self._lattice, 0), 0, NO_ENCODING)
        return self._scene.places.get(name, lacking)
