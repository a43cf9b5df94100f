"""Figures: zones of every kind on one lattice.

An area covers cells by their share, a line by its length inside, a point by its number. What comes
of each is a coverage like any other, so nothing after it asks for the kind.

| rule | areas | lines | points |
|---|---|---|---|
| ``fraction`` | share of the cell | metres in the cell | points in the cell |
| ``center`` | 1 if the centre is inside | as ``fraction`` | as ``fraction`` |
| ``all_touched`` | 1 if the cell is met | 1 if the cell is met | 1 if the cell is met |
| ``bilinear`` | as ``fraction`` | as ``fraction`` | weights of the four cells around |
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from zonalbatch.cover.coverage import Coverage, CoverageRule, cover
from zonalbatch.cover.joint import joint
from zonalbatch.cover.outlines import outline, shapes_of
from zonalbatch.cover.paths import paths
from zonalbatch.cover.spots import cover_points, spots
from zonalbatch.cover.strokes import cover_lines
from zonalbatch.lattice import Lattice, Window

__all__ = ["cover_figures"]

Objects = NDArray[np.object_]

AREA, LINE, POINT = range(3)
KINDS = np.array([POINT, LINE, LINE, AREA, POINT, LINE, AREA, AREA, AREA])
"""The kind of each of shapely's type ids from 0 to 7, and of -1, which is for nothing."""


def cover_figures(
    wkb: pa.Array | pa.ChunkedArray | Objects,
    crs: str,
    lattice: Lattice,
    *,
    rule: CoverageRule = "fraction",
    min_fraction: float = 0.0,
    densify: Literal["auto", "none"] = "auto",
    west: float | None = None,
    extent: Window | None = None,
) -> Coverage:
    """The cells of a lattice that zones of any kind cover.

    Args:
        wkb: (zone,) shapes, each of one kind, as WKB or as geometries; null ones cover nothing.
        crs: CRS of the zones.
        lattice: where the cells lie.
        rule: how cells are weighted, see the table above.
        min_fraction: cells of which an area covers less are left out; not for ``center``.
        densify: ``"none"`` projects vertices only.
        west: westernmost longitude of a grid beyond -180..180.
        extent: fold tiles outside of this window are left out (but for the zones' totals).
    """
    shapes = shapes_of(wkb)
    kinds = KINDS[shapely.get_type_id(shapes)]
    cell, once = (lattice.dx, lattice.dy), rule == "all_touched"

    def covered(kind: int, some: Objects) -> Coverage:
        if kind == AREA:
            outlines = outline(some, crs, lattice.crs, cell=cell, densify=densify, west=west)
            of_areas = "fraction" if rule == "bilinear" else rule
            return cover(outlines, lattice, rule=of_areas, min_fraction=min_fraction, extent=extent)
        if kind == LINE:
            found = paths(some, crs, lattice.crs, cell=cell, densify=densify, west=west)
            return cover_lines(found, lattice, len(some), extent=extent, once=once)
        points = spots(some, crs, lattice.crs, west=west)
        return cover_points(
            points, lattice, len(some), bilinear=rule == "bilinear", extent=extent, once=once
        )

    if not len(shapes) or (kinds == kinds[0]).all():
        return covered(int(kinds[0]) if len(kinds) else AREA, shapes)
    groups = [(int(kind), np.flatnonzero(kinds == kind)) for kind in np.unique(kinds)]
    return joint([(covered(kind, shapes[some]), some) for kind, some in groups], len(shapes))
