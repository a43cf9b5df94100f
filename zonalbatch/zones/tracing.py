"""Tracing: the outlines of labels, let go of as soon as they are whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from zonalbatch.errors import ZonesError
from zonalbatch.lattice import Grid
from zonalbatch.zones.corners import ABSENT, find_corners, labels_met, roots_of
from zonalbatch.zones.loops import in_order_of, polygons_of
from zonalbatch.zones.shapes import Objects, joined

__all__ = ["Census", "Tracing"]

MOST_ZONES = 10_000_000
"""Labels that a raster may have."""
MOST_CORNERS = 100_000_000
"""Corners that may wait for their zones to be whole; they take 12 bytes each."""
MOST_PARTS = 4_000_000
"""Parts of zones that may wait: as polygons they take a kilobyte each."""
WAITING = 1_000_000
"""Corners that come before it is asked again which zones are whole."""

Labels = NDArray[np.int64]
Ints = NDArray[np.int32]


@dataclass(slots=True, eq=False)
class Census:
    """The labels of a raster, and after which strip of it each is whole."""

    name: str
    """What errors call the raster."""
    labels: Labels = field(default_factory=lambda: np.empty(0, np.int64))
    """(zone,) all labels, ascending."""
    last: Labels = field(default_factory=lambda: np.empty(0, np.int64))
    """(zone,) the last strip that has a cell of the label, counted from 0."""
    _new: list[tuple[Labels, int]] = field(default_factory=list)

    def add(self, labels: Labels, strip: int) -> None:
        """Count the labels of a strip."""
        self._new.append((np.unique(labels_met(labels)), strip))
        if sum(len(some) for some, _ in self._new) > max(WAITING, len(self.labels)):
            self.close()

    def close(self) -> None:
        """Bring the labels of all strips so far together.

        Raises:
            ZonesError: there are too many.
        """
        strips = [np.full(len(some), strip) for some, strip in self._new]
        labels = np.concatenate([self.labels, *(some for some, _ in self._new)])
        order = np.lexsort((np.arange(len(labels)), labels))
        ends = np.append(labels[order][1:] != labels[order][:-1], True)[: len(labels)]
        self.labels = labels[order][ends]
        self.last = np.concatenate([self.last, *strips]).astype(np.int64)[order][ends]
        self._new.clear()
        if len(self.labels) > MOST_ZONES:
            raise ZonesError(
                f"{self.name} has more than {MOST_ZONES:,} labels, each of which would be a zone; "
                "give a raster that numbers zones, not one of measured values"
            )


class _Corners(NamedTuple):
    """Some corners, in ascending order of rows and, within them, of columns."""

    parts: Ints
    rows: Ints
    cols: Ints

    def where(self, mask: NDArray[np.bool_]) -> _Corners:
        return _Corners(*(each[mask] for each in self))


class Tracing:
    """Corners of zones, gathered strip by strip until the zones are whole."""

    def __init__(self, census: Census, grid: Grid) -> None:
        self._census, self._grid = census, grid
        self._above = np.full(grid.shape[1], ABSENT)
        self._above_part = np.full(grid.shape[1], -1, np.int32)
        self._united, self._zones = (np.empty(0, np.int32) for _ in range(2))
        self._n_parts = self._open = self._row = self._fresh = 0
        self._waiting: list[_Corners] = []

    def add(self, labels: Labels) -> None:
        """Gather the corners of a strip, and of its upper edge.

        Raises:
            ZonesError: outlines take too much memory.
        """
        self._reserve(labels.size)
        most = 4 * (labels.shape[1] + 1) * len(labels)
        found = _Corners(*(np.empty(most, np.int32) for _ in range(3)))
        before = self._n_parts
        self._n_parts, united, n = find_corners(
            labels, self._row, self._census.labels, self._above, self._above_part,
            self._united, self._zones, self._n_parts, *found,
        )  # fmt: skip
        self._open += self._n_parts - before - united
        self._row += len(labels)
        self._waiting.append(_Corners(*(each[:n].copy() for each in found)))
        self._fresh += n
        if self._n_waiting > MOST_CORNERS:
            raise self._too_much(f"{MOST_CORNERS:,} corners")
        if self._open > MOST_PARTS:
            raise self._too_much(f"{MOST_PARTS:,} separate parts")

    def whole(self, strip: int) -> Iterator[tuple[Labels, Objects]]:
        """Labels, ascending, and shapes of zones that end above a strip, if it is worth a look."""
        if self._fresh > max(WAITING, self._n_waiting - self._fresh):
            yield from self._let_go(strip)

    def end(self) -> Iterator[tuple[Labels, Objects]]:
        """All zones that are left; the raster ends here."""
        self.add(np.full((1, len(self._above)), ABSENT))
        yield from self._let_go(None)

    @property
    def _n_waiting(self) -> int:
        return sum(len(some.rows) for some in self._waiting)

    def _too_much(self, what: str) -> ZonesError:
        return ZonesError(
            f"zones of {self._census.name} that are under way at once have more than {what}; give "
            "a raster that numbers zones, with nodata where there is none; a raster of measured "
            "values or classes goes with zones of its own"
        )

    def _let_go(self, strip: int | None) -> Iterator[tuple[Labels, Objects]]:
        every = _Corners(*map(np.concatenate, zip(*self._waiting, strict=True)))
        zone = self._zones[every.parts]
        done = np.full(len(zone), True) if strip is None else self._census.last[zone] < strip
        self._waiting, self._fresh = [every.where(~done)], 0
        if done.any():
            yield self._shapes(every.where(done))

    def _shapes(self, corners: _Corners) -> tuple[Labels, Objects]:
        """Labels and shapes of the zones that some corners make."""
        roots = roots_of(self._united, corners.parts)
        there = np.zeros(self._n_parts, bool)
        there[roots] = True
        parts = np.flatnonzero(there)
        self._open -= len(parts)
        parts = parts[np.argsort(self._zones[parts], kind="stable")]
        place = np.empty(self._n_parts, np.int32)
        place[parts] = np.arange(len(parts))
        number = place[roots]
        order = in_order_of(number, len(parts), np.arange(len(number)))
        polygons = polygons_of(
            number[order], corners.rows[order], corners.cols[order], len(parts), self._grid
        )
        zones, row = np.unique(self._zones[parts], return_inverse=True)
        return self._census.labels[zones], joined(polygons, row, len(zones))

    def _reserve(self, cells: int) -> None:
        """Room for as many new parts as there are cells."""
        lacking = self._n_parts + cells - len(self._united)
        if lacking > 0:
            more = np.empty(lacking + len(self._united), np.int32)
            self._united = np.concatenate([self._united, more])
            self._zones = np.concatenate([self._zones, more])
