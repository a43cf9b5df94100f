"""Peak: the most bytes that a worker takes while it does a part, foreseen from metadata alone.

    what the process itself takes           (interpreter, libraries, kernels; GDAL's cache)
  + zones, their outlines and coverage      (of all of the part's zones, on all of its lattices)
  + pixels                                  (those read ahead, blocks kept, one tile at work)
  + states                                  (of one layer: sums, values until zones are whole)
  + results                                 (of all layers, and one row group of them as a table)

Its constants were measured; ``tests/integration/test_memory.py`` holds it against what parts take.
It leans to the safe side: what it says is rarely reached, and seldom less than a third too much.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zonalbatch.lattice import TILE
from zonalbatch.layers import Layer, Scene
from zonalbatch.planning.burden import Burden
from zonalbatch.planning.files import Part
from zonalbatch.planning.surroundings import bands_of, itemsize
from zonalbatch.recipe import Recipe, wanted
from zonalbatch.sinks.table import ROWS_AT_ONCE, TABLE, Form
from zonalbatch.sources.view import View
from zonalbatch.statistics import MOMENTS, Statistic
from zonalbatch.statistics.huge import CAP, RUN
from zonalbatch.statistics.values import HUGE
from zonalbatch.statistics.waiting import CALLED, KEPT

__all__ = ["PROCESS", "Peaks", "beyond"]

MIB = 2**20
PROCESS = 480 * MIB
"""What a worker process takes before its first pixel: interpreter, libraries, compiled kernels."""
MOST = 2.0**62
"""What a plan can note of, bytes: a zone may hold more cells than there are numbers."""
CACHE = 80 * MIB
"""GDAL's cache of blocks (64 MiB) and that of answers of servers (16 MiB), see `sources.gdal`."""
WARP = 96 * MIB
"""What GDAL and stackstac take beside, where files are put on a common grid."""
ZONE, VERTEX = 600, 96
"""Bytes of a zone and of a vertex beside their WKB: shapes, rings, projected and turned copies."""
PIECE, CELL, RUN_OF_CELLS = 200, 12, 8
"""Bytes of a piece of a coverage, of a boundary cell, of a run."""
STATE = 48
"""Numbers kept of a zone and measurement while a layer is reduced."""
READERS = 8
"""Threads that decode at once."""
SLABS = 3
"""Rows of blocks, as high as a fold tile, that are kept at once."""
CLASS, LISTED = 40, 16
"""Bytes of a class or a listed cell while it is gathered, and in each list of the result."""
SKETCH = 4096
"""Values in a sketch of a row."""


@dataclass(frozen=True, slots=True, eq=False)
class Peaks:
    """How many bytes parts of one recipe and form take."""

    recipe: Recipe
    form: Form
    told: tuple[Statistic, ...]
    """The statistics of each measurement."""
    asked: tuple[Statistic, ...]
    """These, and the states that rows keep."""
    memory: int
    """Bytes that a part may take: reading ahead, and what waits, follow from it."""
    pixel: int
    """Bytes of all bands of a cell, of the largest layer."""
    value: int
    """Bytes of a value of a measurement: 8 of expressions, else of the raw band."""
    whole: bool
    """True if all values are integers of up to 16 bits."""
    warped: bool
    """True if files are put on a common grid while they are read."""

    @classmethod
    def of(cls, recipe: Recipe, form: Form, layers: Sequence[Layer], memory: int) -> Peaks:
        """The peaks of parts of some layers."""
        scenes = list(
            {_kind(s): s for layer in layers for s in wanted(layer, recipe).scenes}.values()
        )
        assets = [asset for scene in scenes for asset in scene.assets.values()]
        bare = all(m.expression.canonical in m.bands for m in recipe.measurements)
        kinds = {np.dtype(asset.dtype or "float64") for asset in assets}
        return cls(
            recipe=recipe,
            form=form,
            told=recipe.told,
            asked=recipe.asked,
            memory=memory,
            pixel=max((sum(map(itemsize, bands_of(one))) for one in scenes), default=1),
            value=max((kind.itemsize for kind in kinds), default=8) if bare else 8,
            whole=bare and all(kind.kind in "iu" and kind.itemsize <= 2 for kind in kinds),
            warped=any(View.of(asset.href).warp is not None for asset in assets),
        )

    def bytes(self, zones: Burden, sizes: NDArray[np.float64], scenes: int = 1) -> int:
        """The most bytes that a worker takes for some zones and layers.

        Args:
            zones: what they put on it.
            sizes: (layer,) bytes that each layer gives when it is decoded.
            scenes: how many scenes a layer has here.
        """
        if not len(zones) or not len(sizes):
            return PROCESS
        at_work = self._pixels(zones, sizes, scenes) + self._states(zones)
        every = PROCESS + self._ground(zones) + at_work + self._results(zones, len(sizes))
        return int(min(every, MOST))

    def _ground(self, zones: Burden) -> float:
        """Zones, their outlines, what they cover."""
        coverage = CELL * zones.edge + RUN_OF_CELLS * zones.runs + PIECE * zones.pieces
        # What is read of the plan is a row group, however few of its zones are wanted.
        shapes = 3 * zones.wkb + VERTEX * zones.vertices + ZONE
        return float((coverage + shapes).sum() + min(TABLE, zones.wkb.sum()) + TILE * TILE * CELL)

    def _pixels(self, zones: Burden, sizes: NDArray[np.float64], scenes: int) -> float:
        """Blocks on their way, kept and at work; cells gathered of one tile."""
        tile = TILE * TILE * self.pixel * scenes
        slab = SLABS * TILE * (_span(zones) + 2 * TILE) * self.pixel * scenes
        ahead = min(self.memory / 8 + READERS * tile + slab, 1.5 * sizes.sum() + READERS * tile)
        gathered = _at_most_in_a_tile(zones) * self._gathered
        weights = min(self.memory * 3 / 16, 8 * zones.cells.sum()) if self.recipe.weights else 0
        cache = min(CACHE, 2 * sizes.sum()) + (WARP if self.warped else 0)
        return float(ahead + 2 * tile + gathered + weights + cache)

    @property
    def _gathered(self) -> int:
        """Bytes of a cell that is gathered: as read, valid or not, sorted; or as it is computed."""
        if len(self.recipe.bands) == len(self.recipe.measurements):
            return 2 * self.value + 16
        return self.value + 8 * (len(self.recipe.bands) + 4)

    def _states(self, zones: Burden) -> float:
        """What is kept of a layer until all of its cells have come."""
        asked, measurements = self.asked, len(self.recipe.measurements)
        states = {s.state for s in asked} | {s.beside for s in asked}
        size = 8.0 * len(zones) * (STATE + 2 * len(asked))
        if states & {"values", "inverted", "sketched"}:
            size += self._waiting_values(zones)
        if any(s.detailed for s in asked):
            size += CLASS * self._items(zones).sum()
        if "calls" in states:
            size += KEPT * _at_once(zones, zones.cells) + CALLED * zones.cells.max()
        return float(size * measurements)

    def _waiting_values(self, zones: Burden) -> float:
        """Bytes of values that wait until their zones are whole."""
        huge = zones.pieces > HUGE
        shared = zones.cells if self.recipe.weight_by == "area" else zones.edge
        few = np.where(huge, 0.0, zones.straddling * (self.value * zones.cells + 8 * shared))
        boundary = np.where(huge, 48.0 * zones.edge, 0.0)  # sorted with weights in the end
        kept, key = (2, 4) if self.value == 4 else (8, 8)
        packed = kept * np.minimum(zones.cells, CAP) + key * np.minimum(zones.cells, RUN)
        inner = np.where(huge, 8 * 2.0**16 if self.whole else packed, 0.0)
        sorting = 0.0 if self.whole or not huge.any() else 4.0 * key * RUN
        waiting = 1.25 * _at_once(zones, few)
        return float(waiting + sorting + (boundary + inner).sum())

    def _items(self, zones: Burden) -> NDArray[np.float64]:
        """(zone,) classes or listed cells: as if each cell had a class of its own."""
        if self.whole and not any(s.state == "listing" for s in self.asked):
            return np.minimum(zones.cells, 2.0 ** (8 * self.value))
        return zones.cells

    def _results(self, zones: Burden, layers: int) -> float:
        """The results of all layers, and one row group of them as a table."""
        measurements, told = len(self.recipe.measurements), self.told
        lists = sum(s.listed for s in told) * measurements
        edges = sum(2 * len(s.edges) for s in told if s.listed) * measurements
        numbers = (len(told) + (len(MOMENTS) if self.recipe.states else 0)) * measurements + edges
        pairs = len(zones) * layers
        rows = min(pairs * (1 if self.form.layout == "wide" else numbers), ROWS_AT_ONCE)
        row = 3 * (8 * numbers + 96)
        items = LISTED * lists * self._items(zones).sum()
        if "values" in self.recipe.states:
            items += LISTED * measurements * np.minimum(zones.cells, SKETCH).sum()
        shapes = 3 * min(pairs * zones.wkb.mean(), TABLE) if self.form.geometry else 0.0
        return float(pairs * (9 * numbers + 32) + rows * row + shapes + 1.5 * items * layers)


def beyond(parts: Sequence[Part], memory: int) -> Iterator[str]:
    """What is said of parts that may take more than they may."""
    over = [part for part in parts if part.peak > memory]
    if not over:
        return
    worst = max(over, key=lambda part: part.peak)
    yield (
        f"{len(over):,} of {len(parts):,} parts may take more than limits.memory, "
        f"{memory / MIB:,.0f} MiB for each; the largest ({worst.stop - worst.start:,} zones, "
        f"{len(worst.layers):,} layers) about {worst.peak / MIB:,.0f} MiB: raise limits.memory to "
        "that where workers have it, or read overviews (resolution), or ask for fewer lists"
    )


def _kind(scene: Scene) -> tuple[object, ...]:
    """What decides the bytes of a cell of a scene."""
    return tuple((name, a.dtype, a.href[:5]) for name, a in sorted(scene.assets.items()))


def _span(zones: Burden) -> float:
    """Cells that zones are wide together."""
    columns = zones.tile[:, 1]
    return float(TILE * (columns.max() - columns.min()) + zones.width.max())


def _at_most_in_a_tile(zones: Burden) -> float:
    """Cells of all zones in the fold tile where these are most."""
    rows, cols = (zones.tile - zones.tile.min(axis=0)).T
    _, codes = np.unique(rows * (cols.max() + 1) + cols, return_inverse=True)
    return float(np.bincount(codes, np.minimum(zones.cells, TILE * TILE)).max())


def _at_once(zones: Burden, each: NDArray[np.float64]) -> float:
    """What is there of it at once, where it waits: that of the zones of two rows of fold tiles."""
    _, rows = np.unique(zones.tile[:, 0], return_inverse=True)
    found = np.bincount(rows, each)
    return float((found + np.append(found[1:], 0.0)).max())
