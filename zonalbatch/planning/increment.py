"""Increment: what stands of an earlier plan in the next one of the same output.

Zones and layers stand if something of their hash is named again. Zones that stand keep their cell
and their order, so that the zones of a part remain neighbours; new ones come after them, in the
cell that holds their tile if there is one. A part whose zones and layers all stand is kept as it
is, under its name. Of others what stands is written anew from their own rows, if they are there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from zonalbatch.planning.earlier import Earlier
from zonalbatch.planning.files import Part
from zonalbatch.planning.partition import Cell, Order
from zonalbatch.planning.surroundings import Near, Surroundings
from zonalbatch.planning.zone_rows import ZoneRows

__all__ = ["order_after", "places_of", "standing"]

CutSpace = Callable[[NDArray[np.int64]], Order]
"""Cells for some rows of zones that no cell of an earlier plan holds."""


def places_of(earlier: Earlier, rows: ZoneRows) -> NDArray[np.int64]:
    """(earlier zone,) the row of the input that equals it, -1 if none does."""
    now = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(16), len(rows.hashes), [None, pa.py_buffer(np.ascontiguousarray(rows.hashes))]
    )
    found = pc.index_in(earlier.column("hash"), value_set=now)
    return np.asarray(found.fill_null(-1).to_numpy(zero_copy_only=False)).astype(np.int64)


def order_after(
    earlier: Earlier, place: NDArray[np.int64], rows: ZoneRows, cut_space: CutSpace
) -> Order:
    """The cells of an earlier plan with what stands of their zones, then new ones; then new cells.

    Args:
        earlier: the plan before.
        place: what `places_of` says.
        rows: the zones now.
        cut_space: cuts the space that no earlier cell holds.
    """
    stands = place >= 0
    old = place[stands]
    sizes = [cell.stop - cell.start for cell in earlier.cells]
    cell_of_old = np.repeat(np.arange(len(sizes)), sizes)[stands]
    new = np.setdiff1d(np.arange(len(rows.hashes)), old)
    cell_of_new = _cells_holding(rows.tiles[new], earlier.cells)
    beyond = cut_space(new[cell_of_new < 0])
    joining = new[cell_of_new >= 0]
    names = rows.hashes.view(np.uint64)[joining]
    tiles = rows.tiles[joining]
    joining_cells = cell_of_new[cell_of_new >= 0]
    sorted_new = np.lexsort((names[:, 1], names[:, 0], tiles[:, 1], tiles[:, 0], joining_cells))
    both = np.concatenate([old, joining[sorted_new]])
    of = np.concatenate([cell_of_old, joining_cells[sorted_new]])
    kept = _stretched(earlier.cells, np.bincount(of, minlength=len(sizes)))
    far = len(both)
    after = [replace(c, start=c.start + far, stop=c.stop + far) for c in beyond.cells]
    order = np.concatenate([both[np.argsort(of, kind="stable")], beyond.rows])
    return Order(order, [cell for cell in (*kept, *after) if cell.stop > cell.start])


def _stretched(cells: Sequence[Cell], counts: NDArray[np.int64]) -> list[Cell]:
    """Cells with other numbers of zones, one after the other."""
    stops = np.cumsum(counts)
    return [
        replace(cell, start=int(stop - count), stop=int(stop))
        for cell, stop, count in zip(cells, stops, counts, strict=True)
    ]


def _cells_holding(tiles: NDArray[np.int64], cells: Sequence[Cell]) -> NDArray[np.int64]:
    """(zone,) the smallest cell that holds its tile, -1 if none does."""
    found = np.full(len(tiles), -1, np.int64)
    for level in sorted({cell.level for cell in cells}):
        some = [(cell.row, cell.col, i) for i, cell in enumerate(cells) if cell.level == level]
        table = np.array(some, np.int64)
        keys = np.concatenate([table[:, :2], tiles >> level])
        _, codes = np.unique(keys, axis=0, return_inverse=True)
        codes = codes.reshape(-1)
        at = np.full(codes.max(initial=0) + 1, -1, np.int64)
        at[codes[: len(table)]] = table[:, 2]
        here = at[codes[len(table) :]]
        found = np.where(found < 0, here, found)
    return found


def standing(
    earlier: Earlier,
    place: NDArray[np.int64],
    order: Order,
    rows: ZoneRows,
    before: Surroundings,
    here: Surroundings,
    identify: Callable[[range, Near], str],
) -> Iterator[Part]:
    """The parts of an earlier plan as far as they stand, where they lie in the next one.

    Args:
        earlier: the plan before.
        place: what `places_of` says.
        order: what `order_after` says.
        rows: the zones now.
        before: the layers of the earlier plan.
        here: the layers now.
        identify: the id of the part of some zones and layers.
    """
    many = np.concatenate([[0], np.cumsum(place >= 0)])
    starts = {cell.name: cell.start for cell in order.cells}
    firsts = {cell.name: cell.start for cell in earlier.cells}
    for part in earlier.parts:
        count = int(many[part.stop] - many[part.start])
        if not count:
            continue
        start = starts[part.cell] + int(many[part.start] - many[firsts[part.cell]])
        zones = range(start, start + count)
        box = rows.bounds[order.rows[start : start + count]]
        stands, lost = _layers_standing(part, box, before, here)
        if not stands:
            continue
        found = replace(
            part, start=start, stop=start + count, layers=tuple(stands),
            scenes=tuple(i for scenes in stands.values() for i in scenes),
        )  # fmt: skip
        if not lost and count == part.stop - part.start:
            yield found
        elif source := part.id if part.id in earlier.done else part.source:
            yield replace(found, id=identify(zones, stands), source=source)


def _layers_standing(
    part: Part, box: NDArray[np.float64], before: Surroundings, here: Surroundings
) -> tuple[Near, bool]:
    """Of a part's layers those that are what they were around its zones, and if others are not.

    Only scenes that the zones may meet are compared. Others gave no row.
    """
    cell = Cell(0, 0, 0, part.start, part.stop)
    was = before.load(cell, box).scenes
    old = before.hashes(before.near(was[np.isin(was, part.scenes)]))
    now = here.near(here.load(cell, box).scenes)
    stands = {i: some for i, some in now.items() if old.get(here.layers[i].id) == here.hash(some)}
    return stands, len(stands) < len(old)
