"""Outlines: the rings of zones in the CRS of one lattice, ready to be covered.

    WKB ─► rings ─► subdivide long edges ─► project ─► (split at the seam) ─► orient

Everything runs over all vertices of all zones at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import shapely
from pyproj import CRS, Transformer

from zonalbatch.projection import Change, in_reach
from zonalbatch.rings import (
    Bounds,
    Floats,
    Ints,
    Objects,
    Rings,
    ragged,
    spans,
    unragged,
    zone_bounds,
    zone_of_vertex,
)
from zonalbatch.zones.longitudes import to_longitudes

__all__ = ["Outlines", "outline"]


@dataclass(frozen=True, slots=True, eq=False)
class Outlines:
    """Rings of zones in one CRS; exteriors counter-clockwise (x right, y up), holes clockwise."""

    xy: Floats
    """(vertices, 2), C-contiguous, units of the CRS; the first vertex of a ring is its last."""
    rings: Ints
    """(n_rings + 1,) where in ``xy`` each ring begins."""
    zones: Ints
    """(n_zones + 1,) where in ``rings`` each zone begins; a zone may have none."""

    @property
    def bounds(self) -> Floats:
        """(n_zones, 4): left, bottom, right, top; NaN where a zone has no rings."""
        return zone_bounds(self.xy, self.rings, self.zones)


def outline(
    wkb: pa.Array | pa.ChunkedArray | Objects,
    crs: str,
    lattice_crs: str,
    *,
    cell: tuple[float, float],
    densify: Literal["auto", "none"] = "auto",
    west: float | None = None,
    extent: Bounds | None = None,
) -> Outlines:
    """The outlines of zones in the CRS of a lattice.

    Coordinates pass through bit for bit where both CRSs are the same. Otherwise edges are
    subdivided, straight in the zones' CRS, until each piece lies within 1/20 of a cell of its
    true place, and then projected.

    Args:
        wkb: Polygons and multipolygons, as WKB or as geometries; null and empty ones get no rings.
        crs: CRS of the zones.
        lattice_crs: CRS of the lattice.
        cell: (width, height) of a cell, units of the lattice's CRS.
        densify: ``"none"`` projects the vertices only.
        west: For a grid of longitudes beyond -180..180, its westernmost: zones are moved by
            turns of 360 into ``west..west + 360`` and split where they straddle that seam.
        extent: (left, bottom, right, top) in the lattice's CRS: zones that reach to where the
            projection has no finite value are clipped to it. Without it they get no rings.

    Zones in degrees that reach more than 20 degrees beyond the area of use of the lattice's CRS
    are clipped there first: their rings could close around a place that cannot be projected.
    """
    shapes = _shapes(wkb)
    source, target = CRS.from_user_input(crs), CRS.from_user_input(lattice_crs)
    if crs == lattice_crs or source.equals(target, ignore_axis_order=True):
        rings = ragged(shapes)
    else:
        change = Change(Transformer.from_crs(source, target, always_xy=True), target, cell)
        shapes = in_reach(shapes, source, target)
        rings = change.project(shapes, ragged(shapes), densify == "auto", extent)
    if west is not None and target.is_geographic:
        rings = _within(rings, west)
    return _oriented(rings)


def _shapes(wkb: pa.Array | pa.ChunkedArray | Objects) -> Objects:
    if isinstance(wkb, pa.ChunkedArray):
        raw = wkb.to_numpy()
    else:
        raw = wkb.to_numpy(zero_copy_only=False) if isinstance(wkb, pa.Array) else wkb
    there = len(raw) and isinstance(raw[0], shapely.Geometry)
    return np.asarray(raw if there else shapely.from_wkb(raw), dtype=object)


def _oriented(rings: Rings) -> Outlines:
    """Exteriors counter-clockwise and holes clockwise; rings that are so already keep their order.

    Needed where a projection mirrors (south up), and harmless elsewhere.
    """
    exterior = np.zeros(len(rings.rings) - 1, dtype=bool)
    exterior[rings.polygons[:-1]] = True
    area = _twice_area(rings)
    wrong = np.flatnonzero(np.where(exterior, area < 0, area > 0))
    xy = rings.xy
    if wrong.size:
        at = spans(rings.rings[wrong], rings.rings[wrong + 1])
        first_and_last = (rings.rings[wrong] + rings.rings[wrong + 1] - 1).repeat(
            np.diff(rings.rings)[wrong]
        )
        xy = xy.copy()
        xy[at] = rings.xy[first_and_last - at]
    return Outlines(np.ascontiguousarray(xy), rings.rings, rings.polygons[rings.shapes])


def _twice_area(rings: Rings) -> Floats:
    """Twice the signed area of each ring, by the shoelace formula about its first vertex."""
    if not len(rings.xy):
        return np.zeros(len(rings.rings) - 1)
    local = rings.xy - rings.xy[rings.rings[:-1]].repeat(np.diff(rings.rings), axis=0)
    x, y = local.T
    cross = np.zeros(len(x))
    cross[:-1] = x[:-1] * y[1:] - x[1:] * y[:-1]  # from the last vertex, which is 0, 0: nothing
    return np.add.reduceat(cross, rings.rings[:-1])


def _within(rings: Rings, west: float) -> Rings:
    """Zones with longitudes in ``west..west + 360``; those that straddle the seam are split."""
    lon = rings.xy[:, 0]
    outside = np.unique(zone_of_vertex(rings)[(lon < west) | (lon > west + 360)])
    if not outside.size:
        return rings
    shapes = unragged(rings)
    shapes[outside] = to_longitudes(shapes[outside], west)
    return ragged(shapes)
