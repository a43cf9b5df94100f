"""Mosaic: windows of all pieces as one picture, on the source's own cells."""

from __future__ import annotations

import math
import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zonalbatch.errors import ReadError
from zonalbatch.extract.asked import Resampling
from zonalbatch.extract.frame import Frame, outward
from zonalbatch.extract.pieces import Piece, Pieces
from zonalbatch.extract.resampled import REACH, resampled
from zonalbatch.lattice import Grid, Lattice, Window
from zonalbatch.sources.protocol import Pixels
from zonalbatch.sources.retries import tried

__all__ = ["Mosaic"]

Array = NDArray[Any]
Mask = NDArray[np.bool_]


class Mosaic:
    """The pieces of a data set on one lattice; in each cell the first that has a value.

    Pieces whose cells are the lattice's are copied. Others, of half a cell aside or of another
    size, are resampled to it, so that no cell between two of them stays empty.
    """

    def __init__(self, pieces: Pieces, lattice: Lattice, resampling: Resampling) -> None:
        self.pieces, self.lattice, self.resampling = pieces, lattice, resampling
        self._open: dict[str, Pixels] = {}
        self._guard = threading.Lock()

    def __reduce__(self) -> tuple[type[Mosaic], tuple[Pieces, Lattice, Resampling]]:
        """Without what is open."""
        return Mosaic, (self.pieces, self.lattice, self.resampling)

    def read(self, window: Window) -> tuple[Array, Mask]:
        """The cells of a window, and where there are any; the others are nodata.

        Raises:
            ReadError: a file cannot be read.
        """
        found = np.full(window.shape, self.pieces.fill, self.pieces.dtype)
        there = np.zeros(window.shape, dtype=bool)
        for piece in self.pieces.files:
            if there.all():
                break
            self._put(piece, window, found, there)
        return found, there

    @property
    def extent(self) -> Window:
        """All cells that any piece may hold some of."""
        windows = [
            outward(self.lattice, piece.grid.lattice.bounds(piece.grid.window))
            for piece in self.pieces.files
        ]
        tops, lefts, bottoms, rights = zip(*windows, strict=True)
        return Window(min(tops), min(lefts), max(bottoms), max(rights))

    def meets(self, piece: Piece, window: Window) -> bool:
        """True if a piece may hold cells of a window."""
        left, bottom, right, top = self.lattice.bounds(window)
        west, south, east, north = piece.grid.lattice.bounds(piece.grid.window)
        return left < east and west < right and bottom < north and south < top

    def close(self) -> None:
        """Let go of all files."""
        for pixels in self._open.values():
            pixels.close()
        self._open = {}

    def _put(self, piece: Piece, window: Window, found: Array, there: Mask) -> None:
        aligned = piece.grid.on(self.lattice)
        if aligned is None:
            values, valid = self._resampled(piece, window)
            part = window
        else:
            part = window.intersect(aligned.window)
            if part.empty:
                return
            values, valid = self._read(piece, aligned, part)
        rows = slice(part.top - window.top, part.bottom - window.top)
        cols = slice(part.left - window.left, part.right - window.left)
        new = valid & ~there[rows, cols]
        np.copyto(found[rows, cols], values, where=new)
        there[rows, cols] |= new

    def _read(self, piece: Piece, grid: Grid, part: Window) -> tuple[Array, Mask]:
        """Cells of a piece, north up, of a window on the lattice of ``grid``."""
        own = part.shift(-grid.window.top, -grid.window.left)
        if grid.south_up:
            height = grid.shape[0]
            own = own._replace(top=height - own.bottom, bottom=height - own.top)
        pixels = self._pixels(piece.href)

        def read() -> tuple[Array, Mask]:
            (values,) = pixels.read([piece.band], own)
            valid = ~_is_nodata(values, piece.nodata)
            return values, valid & pixels.read_mask(own) if piece.masked else valid

        told = tried(read)
        if isinstance(told, ReadError):
            raise told
        values, valid = told
        return (values[::-1], valid[::-1]) if grid.south_up else (values, valid)

    def _resampled(self, piece: Piece, window: Window) -> tuple[Array, Mask]:
        """Cells of a window, made of those of a piece whose cells lie elsewhere."""
        own = piece.grid
        around = outward(own.lattice, self.lattice.bounds(window))
        wide = Window(around.top - REACH, around.left - REACH, around.bottom + REACH,
                      around.right + REACH).intersect(own.window)  # fmt: skip
        if wide.empty:
            return np.zeros(window.shape, self.pieces.dtype), np.zeros(window.shape, dtype=bool)
        values, valid = self._read(piece, own, wide)
        at, to = Frame(own.lattice, wide), Frame(self.lattice, window)
        return resampled(values, valid, at, to, self.resampling)

    def _pixels(self, href: str) -> Pixels:
        with self._guard:
            if href not in self._open:
                self._open[href] = self.pieces.pixels(href)
            return self._open[href]


def _is_nodata(values: Array, nodata: float | int | None) -> Mask:
    none = np.isnan(values) if values.dtype.kind == "f" else np.zeros(values.shape, dtype=bool)
    if nodata is None or math.isnan(nodata):
        return none
    return none | (values == nodata)
