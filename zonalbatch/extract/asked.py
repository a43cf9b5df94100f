"""Asked: a box of a data set, checked before anything is read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np

from zonalbatch.catalog.document import WcsPlace
from zonalbatch.catalog.named import Named, named
from zonalbatch.errors import InputError, SourceError
from zonalbatch.projections import transformer
from zonalbatch.zones import ZoneReader, open_zones

__all__ = ["EARTH", "Asked", "Box", "Resampling", "asked_for", "data_set_given"]

Box: TypeAlias = tuple[float, float, float, float]
"""West, south, east and north, degrees of longitude and latitude."""

Resampling: TypeAlias = Literal["nearest", "bilinear", "cubic", "average"]
"""How a cell's value is made of those of others, in the words of GDAL."""

EARTH = "OGC:CRS84"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A box of one variable of a data set."""

    of: Named
    box: Box
    datetime: str | None
    """Of what changes: as of a search."""
    target_resolution: float | None
    """Side of a cell, units of the source's CRS; None takes the source's own."""
    resampling: Resampling
    target_crs: str | None
    """The source's own, if any is named."""


def asked_for(
    dataset: Any,
    *,
    bbox: Sequence[float] | None,
    zones: Any,
    datetime: str | None,
    target_resolution: float | None,
    resampling: str,
    target_crs: str | None,
) -> Asked:
    """What arguments ask for.

    Raises:
        SourceError: there is no such data set, or it cannot be extracted so.
        InputError: an argument makes no sense.
    """
    of = data_set_given(dataset)
    box = _box(bbox, zones)
    if resampling not in get_args(Resampling):
        raise InputError(
            f"resampling {resampling!r} is unknown; use {', '.join(get_args(Resampling))}"
        )
    how: Resampling = next(one for one in get_args(Resampling) if one == resampling)
    _check_resolution(of, target_resolution, how)
    if of.data.changes and datetime is None:
        raise SourceError(
            f"{of.provider} is measured again and again; say of when, such as datetime='2024-06-01'"
        )
    return Asked(
        of=of, box=box, datetime=datetime, target_resolution=target_resolution, resampling=how,
        target_crs=target_crs,
    )  # fmt: skip


def data_set_given(dataset: Any) -> Named:
    """The data set that an argument names.

    Raises:
        InputError: it names none, or several.
        SourceError: there is none of its name.
    """
    if isinstance(dataset, Named):
        return dataset
    if not isinstance(dataset, str):
        raise InputError(
            f"dataset is {dataset!r}; name one, such as 'copernicus_dem:elevation': each becomes a "
            "file of its own"
        )
    return named(dataset)


def _box(bbox: Sequence[float] | None, zones: Any) -> Box:
    if (bbox is None) == (zones is None):
        raise InputError("give bbox (west, south, east, north in degrees) or zones, one of them")
    if bbox is None:
        return _around(open_zones(zones))
    try:
        west, south, east, north = (float(side) for side in bbox)
    except (TypeError, ValueError):
        raise InputError(f"bbox {bbox!r} is no box; give west, south, east, north") from None
    if not all(map(math.isfinite, (west, south, east, north))) or south >= north or west == east:
        raise InputError(f"bbox {bbox!r} holds nothing; give west, south, east, north in degrees")
    if min(south, -north) < -90 or min(west, east) < -180 or max(west, east) > 180:
        raise InputError(f"bbox {bbox!r} lies beyond the Earth; give degrees")
    if west > east:
        raise InputError(
            f"bbox {bbox!r} crosses 180 degrees, where grids end; extract ({west:g}, {south:g}, "
            f"180, {north:g}) and (-180, {south:g}, {east:g}, {north:g}), each for itself"
        )
    return west, south, east, north


def _around(zones: ZoneReader) -> Box:
    """The box of all zones; they are streamed once."""
    import shapely

    found = [np.full(4, np.nan), *(shapely.total_bounds(shapes) for shapes in zones.shapes())]
    stacked = np.array(found)
    if np.isnan(stacked).all():
        raise InputError("there is no zone to extract pixels for; check the file")
    low, high = np.nanmin(stacked[:, :2], axis=0), np.nanmax(stacked[:, 2:], axis=0)
    onto = transformer(zones.crs, EARTH)
    west, south = (float(side) for side in low)
    east, north = (float(side) for side in high)
    return _box(onto.transform_bounds(west, south, east, north, densify_pts=21), None)


def _check_resolution(of: Named, size: float | None, how: Resampling) -> None:
    if size is None:
        return
    if isinstance(of.data.place, WcsPlace):
        raise SourceError(f"{of.told} comes at its native grid only; leave target_resolution out")
    real = isinstance(size, int | float) and not isinstance(size, bool)
    if not (real and math.isfinite(size) and size > 0):
        raise InputError(f"target_resolution {size!r} is no size of a cell; give a length")
    if of.variable.type != "continuous" and how != "nearest":
        raise InputError(
            f"{of.told} holds {of.variable.type} values, of which there is no {how}; use nearest"
        )
