"""Outlines: zones as they are seen on a screen, in few bytes.

geometries ─► simpler ones ─► whole numbers ─► steps from corner to corner ─► text
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

from zonalbatch.pages.packed import packed, zigzag

if TYPE_CHECKING:
    import geopandas

__all__ = ["Outlines", "outlines"]

SHARE = 2_000
"""Of the whole extent: how long what is left out may be at most."""
SHARE_OF_ZONE = 100
"""The same, of a zone as large as most."""
BUDGET = 4 * 2**20
"""Characters of all outlines, at most."""
COARSER = 4
"""How often outlines are made simpler to keep to it, before zones become points."""
NOTHING, AREA, LINE, POINT = range(4)
"""What a zone is drawn as."""
METRES = 111_195.0
"""Of a degree of latitude."""

Shapes = NDArray[np.object_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outlines:
    """Zones as a page draws them."""

    document: dict[str, Any]
    note: str
    """What is not as it is, in a sentence."""


def outlines(zones: geopandas.GeoDataFrame) -> Outlines:
    """The outlines of zones, in their own CRS."""
    shapes: Shapes = zones.geometry.to_numpy()
    crs = zones.crs
    degrees = bool(crs is not None and crs.is_geographic)
    unit = METRES if degrees else _metres(crs)
    bounds = shapely.bounds(shapes)
    seen = np.isfinite(bounds).all(axis=1)
    if not seen.any():
        return Outlines(document=_document(shapes[:0], 1.0, (0.0, 0.0), len(shapes)), note="")
    low, high = bounds[seen, :2].min(axis=0), bounds[seen, 2:].max(axis=0)
    tolerance = _tolerance(bounds[seen], float(np.hypot(*(high - low))))
    document, note = _fitting(shapes, tolerance, (float(low[0]), float(low[1])), unit)
    named = "" if crs is None else crs.to_string() if crs.to_authority() else crs.name
    return Outlines(document=document | {"degrees": degrees, "metres": unit, "crs": named},
                    note=note)  # fmt: skip


def _metres(crs: Any) -> float | None:
    """Of a unit of a CRS; None where nothing tells."""
    if crs is None or not crs.axis_info:
        return None
    return float(crs.axis_info[0].unit_conversion_factor) or None


def _tolerance(bounds: NDArray[np.float64], extent: float) -> float:
    sizes = np.hypot(bounds[:, 2] - bounds[:, 0], bounds[:, 3] - bounds[:, 1])
    usual = float(np.median(sizes[sizes > 0])) if (sizes > 0).any() else 0.0
    least = min(extent / SHARE, usual / SHARE_OF_ZONE)
    # Whole numbers of corners have to fit 31 bits.
    return max(least, extent / 2**24, 1e-12)


def _fitting(
    shapes: Shapes, tolerance: float, origin: tuple[float, float], unit: float | None
) -> tuple[dict[str, Any], str]:
    """Outlines that keep to the budget."""
    for times in range(COARSER):
        wide = tolerance * 2**times
        document = _document(shapes, wide, origin, len(shapes))
        if _size(document) <= BUDGET:
            far = "" if unit is None else f", by {_length(wide * unit)} at most"
            return document, f"Outlines of zones are simplified{far}."
    points = shapely.point_on_surface(shapes)
    return (
        _document(points, tolerance, origin, len(shapes)),
        "There are too many zones for their outlines: each is a point on the map.",
    )


def _length(metres: float) -> str:
    """Metres for people, to two digits."""
    if metres >= 1000:
        return f"{metres / 1000:.2g} km"
    return f"{metres:.2g} m" if metres >= 0.01 else f"{metres * 1000:.1g} mm"


def _document(
    shapes: Shapes, tolerance: float, origin: tuple[float, float], zones: int
) -> dict[str, Any]:
    """Kinds, counts of parts, counts of corners, steps from corner to corner."""
    step = tolerance / 2
    parts, of_zone, kinds = _parts(_simple(shapes, tolerance), zones)
    corners, of_part = shapely.get_coordinates(parts, return_index=True)
    at = np.rint((corners - origin) / step).astype(np.int64)
    at, of_part = _thinned(at, of_part, kinds[of_zone] == AREA)
    steps = zigzag(np.diff(at, axis=0, prepend=np.zeros((1, 2), np.int64)))
    return {
        "origin": list(origin), "step": step,
        "degrees": False, "metres": None, "crs": "",
        "kinds": packed(kinds),
        "parts": packed(np.bincount(of_zone, minlength=zones)),
        "sizes": packed(np.bincount(of_part, minlength=len(parts))),
        "x": packed(steps[:, 0]), "y": packed(steps[:, 1]),
    }  # fmt: skip


def _simple(shapes: Shapes, tolerance: float) -> Shapes:
    """Shapes without what no screen shows, shells and holes turning against each other."""
    simple = shapely.simplify(shapes, tolerance, preserve_topology=True)
    return np.asarray(shapely.normalize(simple))


def _parts(shapes: Shapes, zones: int) -> tuple[Shapes, NDArray[np.int64], NDArray[np.uint8]]:
    """Rings, lines and points, the zone of each, and what each zone is drawn as."""
    pieces, of_zone = shapely.get_parts(shapes, return_index=True)
    there = ~shapely.is_empty(pieces)
    pieces, of_zone = pieces[there], of_zone[there]
    # A collection is drawn as what is highest in it: areas, else lines, else points.
    rank = np.clip(shapely.get_dimensions(pieces), 0, 2) + 1
    highest = np.zeros(zones, np.int64)
    np.maximum.at(highest, of_zone, rank)
    kept = rank == highest[of_zone]
    pieces, of_zone, rank = pieces[kept], of_zone[kept], rank[kept]
    kinds = np.array([NOTHING, POINT, LINE, AREA], np.uint8)[highest]
    is_area = rank == 3
    rings, of_piece = shapely.get_rings(pieces[is_area], return_index=True)
    whole = np.concatenate([rings, pieces[~is_area]])
    owner = np.concatenate([of_zone[is_area][of_piece], of_zone[~is_area]])
    order = np.argsort(owner, kind="stable")
    return whole[order], owner[order].astype(np.int64), kinds


def _thinned(
    at: NDArray[np.int64], of_part: NDArray[np.int64], areas: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Corners without those at the place of the one before, and without the one that closes a
    ring."""
    if not len(at):
        return at, of_part
    first = np.diff(of_part, prepend=-1) != 0
    last = np.diff(of_part, append=of_part[-1] + 1) != 0
    moved = (np.diff(at, axis=0, prepend=at[:1]) != 0).any(axis=1)
    closing = last & ~first & areas[of_part]
    keep = first | (moved & ~closing)
    return at[keep], of_part[keep]


def _size(document: dict[str, Any]) -> int:
    return sum(len(one["data"]) for one in document.values() if isinstance(one, dict))
