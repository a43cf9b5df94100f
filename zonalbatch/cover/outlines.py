"""Outlines: the rings of zones in the CRS of one lattice, ready to be covered.

    WKB ─► rings ─► orient ─► subdivide long edges ─► project ─► (split at the seam)

Everything runs over all vertices of all zones at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import shapely
from pyproj import CRS

from zonalbatch.cover.projection import Change
from zonalbatch.cover.rings import (
    Floats,
    Ints,
    Objects,
    Rings,
    oriented,
    ragged,
    replaced,
    unragged,
    zone_bounds,
    zone_of_vertex,
)
from zonalbatch.zones.longitudes import to_longitudes

__all__ = ["Outlines", "outline", "shapes_of"]


@dataclass(frozen=True, slots=True, eq=False)
class Outlines:
    """Rings of zones in one CRS, with the zone on their left (x right, y up).

    So exteriors run counter-clockwise and holes clockwise; of a zone around the other end of the
    Earth, the hole is outermost.
    """

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
) -> Outlines:
    """The outlines of zones in the CRS of a lattice.

    Coordinates pass through bit for bit where both CRSs are the same. Otherwise edges are
    subdivided, straight in the zones' CRS, until each piece lies within 1/20 of a cell of its
    true place, and then projected. What the projection does not show of a zone is left out
    (see `Domain`); it follows from the two CRSs alone.

    Args:
        wkb: Polygons and multipolygons, as WKB or as geometries; null and empty ones get no rings.
        crs: CRS of the zones.
        lattice_crs: CRS of the lattice.
        cell: (width, height) of a cell, units of the lattice's CRS.
        densify: ``"none"`` projects the vertices only.
        west: For a grid of longitudes beyond -180..180, its westernmost: zones are moved by
            turns of 360 into ``west..west + 360`` and split where they straddle that seam.
    """
    shapes = shapes_of(wkb)
    source, target = CRS.from_user_input(crs), CRS.from_user_input(lattice_crs)
    if crs == lattice_crs or source.equals(target, ignore_axis_order=True):
        rings = oriented(ragged(shapes))
    else:
        rings = Change.between(source, target, cell).project(shapes, densify == "auto")
    if west is not None and target.is_geographic:
        rings = _within(rings, west)
    return Outlines(np.ascontiguousarray(rings.xy), rings.rings, rings.polygons[rings.shapes])


def shapes_of(wkb: pa.Array | pa.ChunkedArray | Objects) -> Objects:
    """Zones as geometries, from WKB or as they are."""
    if isinstance(wkb, pa.ChunkedArray):
        raw = wkb.to_numpy()
    else:
        raw = wkb.to_numpy(zero_copy_only=False) if isinstance(wkb, pa.Array) else wkb
    there = len(raw) and isinstance(raw[0], shapely.Geometry)
    return np.asarray(raw if there else shapely.from_wkb(raw), dtype=object)


def _within(rings: Rings, west: float) -> Rings:
    """Zones with longitudes in ``west..west + 360``; those that straddle the seam are split."""
    lon = rings.xy[:, 0]
    outside = np.unique(zone_of_vertex(rings)[(lon < west) | (lon > west + 360)])
    if not outside.size:
        return rings
    shapes = to_longitudes(unragged(rings)[outside], west)
    return replaced(rings, outside, oriented(ragged(shapes)))
