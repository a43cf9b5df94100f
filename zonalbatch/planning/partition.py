"""Partition: how zones and layers are cut into parts.

Space is cut into cells of 2^k × 2^k fold tiles of a reference lattice, anchored at its zero; time
into months, quarters or years, UTC. A part is what one cell and one bucket of time hold, or some
of its layers. Time is cut first, since a part then reads each block once; a cell that is overfull
in one month even so is split into quadrants. Both are chosen from the input alone, never from the
cluster or its limits.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from zonalbatch.lattice import TILE, Lattice
from zonalbatch.layers import Layer

__all__ = [
    "Bucket", "Cell", "Load", "Order", "Partition", "bucket_codes", "bucket_of", "cells_of",
    "chunks", "fewest_rows", "level_for", "longest_bucket", "most_layers",
]  # fmt: skip

Bucket = Literal["year", "quarter", "month"]

ROWS = 1_000_000
"""A part has at most about this many rows."""

DECODED = 512 * 1024**2
"""A part decodes about this many bytes at most, so that work can be shared out."""

FEWEST = 250_000
"""A part is not cut for its bytes into parts of fewer rows: small files are slow to read."""

MOST_DECODED = 4 * 1024**3
"""A part is cut for its bytes, however few its rows, where it would decode more than this: about a
minute of a core, which is what the loss of a worker costs."""

SHARES = 16
"""Where there are few rows in all, parts of fewer are cut, until there are about this many."""


@dataclass(frozen=True, slots=True)
class Partition:
    """How space and time are cut: chosen for the first plan of an output, and kept."""

    level: int
    """Cells are 2^level fold tiles wide and high before any split."""
    bucket: Bucket
    """Length of a bucket of time."""
    reference: Lattice
    """The lattice whose fold tiles these are."""

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Partition:
        """The partition of ``dataclasses.asdict``."""
        return cls(**{**document, "reference": Lattice(**document["reference"])})


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of space with the zones in it."""

    level: int
    row: int
    col: int
    start: int
    """First zone, in the order of the plan."""
    stop: int
    """The one after the last."""

    @property
    def name(self) -> str:
        """Level, row and column in one word."""
        return f"{self.level}.{self.row}.{self.col}"


def bucket_of(layer: Layer, bucket: Bucket) -> str:
    """The bucket of time that a layer lies in; undated layers have one of their own."""
    when = layer.datetime
    if when is None:
        return "undated"
    names: dict[Bucket, str] = {
        "year": f"{when.year:04d}",
        "quarter": f"{when.year:04d}Q{(when.month - 1) // 3 + 1}",
        "month": f"{when.year:04d}-{when.month:02d}",
    }
    return names[bucket]


def level_for(layers: Sequence[Layer]) -> int:
    """The level whose cells hold the largest file of any layer."""
    longest = max((max(a.grid.shape) for layer in layers for a in layer.assets), default=1)
    return max(0, math.ceil(math.log2(max(1, longest / TILE))))


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """The zones of a plan in the order of its cells."""

    rows: NDArray[np.int64]
    """(zone,) row of the input."""
    cells: Sequence[Cell]


@dataclass(frozen=True, slots=True, eq=False)
class Load:
    """What one cell would have to do."""

    cell: Cell
    scenes: NDArray[np.int64]
    """Numbers of the scenes that its zones may meet."""
    near: NDArray[np.int64]
    """Indices of the layers that these are of."""
    sizes: NDArray[np.float64]
    """(layer,) bytes that each of them gives within the cell when it is decoded."""

    @property
    def pairs(self) -> int:
        """Number of (zone, layer) pairs."""
        return (self.cell.stop - self.cell.start) * len(self.near)

    def only(self, layers: NDArray[np.int64], owner: NDArray[np.int64]) -> Load:
        """What some of the layers would give; ``owner`` is the layer of each scene of all."""
        some = np.isin(self.near, layers)
        scenes = self.scenes[np.isin(owner[self.scenes], layers)]
        return replace(self, scenes=scenes, near=self.near[some], sizes=self.sizes[some])


def longest_bucket(layers: Sequence[Layer], loads: Sequence[Load]) -> Bucket:
    """The longest bucket of time with which most parts are not overfull; else a month.

    The others are cut by their layers: one city should not cut the countryside into months.
    """
    buckets: tuple[Bucket, ...] = ("year", "quarter", "month")
    fewest = fewest_rows(loads)
    for bucket in buckets:
        codes = bucket_codes(layers, bucket)
        fit = np.concatenate([[], *(_fit(load, codes, fewest) for load in loads)])
        if 2 * fit.sum() > len(fit):
            break
    return bucket


def bucket_codes(layers: Sequence[Layer], bucket: Bucket) -> NDArray[np.int64]:
    """(layer,) a number for the bucket of time of each layer."""
    _, codes = np.unique([bucket_of(layer, bucket) for layer in layers], return_inverse=True)
    return codes.reshape(-1)


def most_layers(load: Load, codes: NDArray[np.int64]) -> int:
    """The most layers of one bucket that a cell's zones may meet."""
    return int(np.bincount(codes[load.near]).max(initial=0))


def _fit(load: Load, codes: NDArray[np.int64], fewest: int) -> NDArray[np.bool_]:
    """For each bucket: true if it needs no cut for its rows, nor, having enough, for its bytes."""
    layers = np.bincount(codes[load.near])
    rows = (load.cell.stop - load.cell.start) * layers
    decoded = np.bincount(codes[load.near], weights=load.sizes)
    heavy = (decoded > DECODED) & (rows >= 2 * fewest)
    return np.logical_not(heavy | (rows > ROWS))[layers > 0]


def cells_of(
    tiles: NDArray[np.int64],
    names: NDArray[np.uint64],
    level: int,
    layers_at_once: NDArray[np.int64] | int = 0,
) -> tuple[NDArray[np.int64], list[Cell]]:
    """The order of zones by cell, and the cells; overfull ones are split into quadrants.

    Args:
        tiles: (zone, 2) row and column of each zone's fold tile.
        names: (zone, 2) what orders the zones of a tile, whatever order they came in.
        level: cells are 2^level fold tiles wide and high before any split.
        layers_at_once: (zone,) the most layers of one bucket that its cell meets; 0 splits none.
    """
    levels = np.full(len(tiles), level, np.int64)
    at_once = np.broadcast_to(layers_at_once, len(tiles))
    for _ in range(level):
        keys, inverse, counts = _keys(tiles, levels)
        most = np.zeros(len(keys), np.int64)
        np.maximum.at(most, inverse, at_once)
        overfull = (counts * most > ROWS) & (keys[:, 0] > 0)
        if not overfull.any():
            break
        levels[overfull[inverse]] -= 1
    keys, inverse, counts = _keys(tiles, levels)
    order = np.lexsort((names[:, 1], names[:, 0], tiles[:, 1], tiles[:, 0], inverse))
    stops = np.cumsum(counts)
    cells = [
        Cell(int(level), int(row), int(col), int(stop - count), int(stop))
        for (level, row, col), stop, count in zip(keys, stops, counts, strict=True)
    ]
    return order, cells


def _keys(
    tiles: NDArray[np.int64], levels: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    cells = np.column_stack([levels, tiles[:, 0] >> levels, tiles[:, 1] >> levels])
    keys, inverse, counts = np.unique(cells, axis=0, return_inverse=True, return_counts=True)
    return keys, inverse.reshape(-1), counts


def fewest_rows(loads: Iterable[Load]) -> int:
    """The rows below which no part is cut for its bytes, when all of this is to be done."""
    return min(FEWEST, sum(load.pairs for load in loads) // SHARES)


def chunks(
    cell: Cell, layers: NDArray[np.int64], sizes: NDArray[np.float64], fewest: int = 0
) -> Iterator[tuple[range, tuple[int, ...]]]:
    """Zones and layers of the parts of one cell and bucket: one part, or more if it is overfull.

    Args:
        cell: the zones.
        layers: indices of the layers.
        sizes: bytes that each layer gives when it is decoded.
        fewest: rows of a part below which it is not cut for its bytes.
    """
    zones = cell.stop - cell.start
    pieces = max(1, math.ceil(zones / ROWS))
    rows = math.ceil(zones / pieces) * len(layers)
    shares = min(math.ceil(sizes.sum() / DECODED), rows // max(fewest, 1))
    times = max(math.ceil(rows / ROWS), shares, math.ceil(sizes.sum() / MOST_DECODED), 1)
    for part in np.array_split(layers, min(times, len(layers))):
        for piece in np.array_split(np.arange(cell.start, cell.stop), pieces):
            yield range(int(piece[0]), int(piece[-1]) + 1), tuple(int(i) for i in part)
