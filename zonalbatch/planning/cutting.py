"""Cutting: the parts of a plan, from its zones in the order of cells and the layers around them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from zonalbatch.planning.burden import Burden
from zonalbatch.planning.files import Part
from zonalbatch.planning.frugal import Frugal, Piece
from zonalbatch.planning.identity import digest
from zonalbatch.planning.partition import (
    Bucket,
    Cell,
    Load,
    Order,
    bucket_codes,
    bucket_of,
    cells_of,
    chunks,
    fewest_rows,
    longest_bucket,
    most_layers,
)
from zonalbatch.planning.peak import Peaks
from zonalbatch.planning.surroundings import Near, Surroundings
from zonalbatch.planning.zone_rows import ZoneRows

__all__ = ["Cutter", "cut_space", "pairs_of"]


@dataclass(frozen=True, slots=True, eq=False)
class Cutter:
    """Everything that parts follow from."""

    rows: ZoneRows
    here: Surroundings
    recipe: bytes
    """Hash of the recipe and the form."""
    bucket: Bucket
    order: Order
    peaks: Peaks

    def identify(self, zones: range, near: Near) -> str:
        """The id of the part of some zones and layers."""
        ids = self.rows.hashes[self.order.rows[zones.start : zones.stop]].tobytes()
        return digest(self.recipe, ids, *map(self.here.hash, near.values())).hex()

    def parts(self, standing: Sequence[Part] = ()) -> Iterator[Part]:
        """Parts that stand of an earlier plan, and those of all pairs that none of them holds."""
        held: dict[str, list[Part]] = {}
        for part in standing:
            held.setdefault(part.cell, []).append(part)
        missing = {
            cell.name: list(self._missing(cell, held.get(cell.name, ())))
            for cell in self.order.cells
        }
        fewest = fewest_rows(load for some in missing.values() for load in some)
        buckets = np.array([bucket_of(layer, self.bucket) for layer in self.here.layers])
        for cell in self.order.cells:
            yield from held.get(cell.name, ())
            for load in missing[cell.name]:
                yield from self._cut(load, buckets, fewest)

    def _cut(self, load: Load, buckets: NDArray[np.str_], fewest: int) -> Iterator[Part]:
        """The parts of some zones and layers: by buckets of time, and by their size."""
        scenes = self.here.near(load.scenes)
        names = buckets[load.near]
        frugal = self._frugal(load)
        for name in map(str, np.unique(names)):
            some = names == name
            for zones, layers in chunks(load.cell, load.near[some], load.sizes[some], fewest):
                for piece in frugal.cut(zones, np.searchsorted(load.near, layers)):
                    yield self._part(load, name, piece, scenes)

    def _part(self, load: Load, bucket: str, piece: Piece, scenes: Near) -> Part:
        near = {int(i): scenes[int(i)] for i in load.near[piece.layers]}
        return Part(
            id=self.identify(piece.zones, near),
            cell=load.cell.name,
            bucket=bucket,
            start=piece.zones.start,
            stop=piece.zones.stop,
            layers=tuple(near),
            scenes=tuple(i for numbers in near.values() for i in numbers),
            decoded=int(load.sizes[piece.layers].sum()),
            peak=piece.peak,
        )

    def _frugal(self, load: Load) -> Frugal:
        """What cuts some zones and layers to the memory that a part may take."""
        rows = self.order.rows[load.cell.start : load.cell.stop]
        burden = Burden.of(self.rows, rows, self.here.reach.crs, self.here.lattices(load.near))
        most = int(np.bincount(self.here.owner[load.scenes]).max(initial=1))
        return Frugal(self.peaks, burden, load.cell.start, load.sizes, most)

    def _missing(self, cell: Cell, held: Sequence[Part]) -> Iterator[Load]:
        """Rectangles of a cell's zones and layers near them that no part holds.

        Layers come first: the zones that lack a layer are taken together, as one reads its blocks.
        """
        edges = np.unique([cell.start, cell.stop, *(e for p in held for e in (p.start, p.stop))])
        stretches = [replace(cell, start=int(a), stop=int(b)) for a, b in pairwise(edges)]
        free = np.ones((len(stretches), len(self.here.layers)), bool)
        for part in held:
            first, last = np.searchsorted(edges, [part.start, part.stop])
            free[first:last, list(part.layers)] = False
        near = np.zeros_like(free)
        for row, stretch in enumerate(stretches):
            near[row, self._load(stretch).near] = True
        for (first, last), layers in _runs(free, free & near).items():
            whole = replace(cell, start=int(edges[first]), stop=int(edges[last]))
            yield self._load(whole).only(np.array(layers), self.here.owner)

    def _load(self, cell: Cell) -> Load:
        return self.here.load(cell, self.rows.bounds[self.order.rows[cell.start : cell.stop]])


def _runs(
    free: NDArray[np.bool_], wanted: NDArray[np.bool_]
) -> Mapping[tuple[int, int], list[int]]:
    """Layers by the stretches of zones, first and the one after the last, that they are wanted in.

    Args:
        free: (stretch, layer) True if no part holds the pair.
        wanted: (stretch, layer) True if one should. What is free and not wanted may be taken along.
    """
    found: dict[tuple[int, int], list[int]] = {}
    columns, which = np.unique(np.vstack([free, wanted]), axis=1, return_inverse=True)
    for i, column in enumerate(columns.T):
        layers = np.flatnonzero(which.reshape(-1) == i).tolist()
        for run in _of_one(*np.split(column, 2)):
            found.setdefault(run, []).extend(layers)
    return {run: sorted(layers) for run, layers in sorted(found.items())}


def _of_one(free: NDArray[np.bool_], wanted: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """The runs of one layer: as long as its stretches are free, from the first wanted on."""
    runs = np.cumsum(~free)
    for run in np.unique(runs[wanted]):
        inside = np.flatnonzero(wanted & (runs == run))
        yield int(inside[0]), int(inside[-1]) + 1


def pairs_of(rows: ZoneRows, order: Order, here: Surroundings) -> int:
    """Number of zones times layers near them, cell by cell."""
    boxes = (rows.bounds[order.rows[cell.start : cell.stop]] for cell in order.cells)
    return sum(here.load(*one).pairs for one in zip(order.cells, boxes, strict=True))


def cut_space(
    rows: ZoneRows, some: NDArray[np.int64], here: Surroundings, level: int, bucket: Bucket | None
) -> tuple[Bucket, Order]:
    """Cells for some rows of zones, overfull ones split; and how time is cut, if that is open.

    Args:
        rows: all zones.
        some: the rows that are to be cut.
        here: the layers.
        level: of cells before any split.
        bucket: the length of buckets of time; None chooses the longest that is not overfull.
    """
    if not len(some):
        return bucket or "year", Order(some, ())
    tiles, names = rows.tiles[some], rows.hashes.view(np.uint64)[some]
    order, cells = cells_of(tiles, names, level)
    loads = [here.load(c, rows.bounds[some[order[c.start : c.stop]]]) for c in cells]
    bucket = bucket or longest_bucket(here.layers, loads)
    codes = bucket_codes(here.layers, "month")  # longer buckets are cut by their layers first
    at_once = np.empty(len(order), np.int64)
    for load in loads:
        at_once[order[load.cell.start : load.cell.stop]] = most_layers(load, codes)
    order, cells = cells_of(tiles, names, level, at_once)
    return bucket, Order(some[order], cells)
