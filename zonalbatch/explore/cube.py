"""Cube: columns as an xarray data set over zones and times, indexed by geometry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import xarray

from zonalbatch.errors import InputError
from zonalbatch.explore.columns import column_named, numbers
from zonalbatch.explore.grid import grid_of
from zonalbatch.explore.selection import listed

if TYPE_CHECKING:
    from zonalbatch.explore.rows import Rows

__all__ = ["cube"]


def cube(rows: Rows, names: Sequence[str] | None) -> xarray.Dataset:
    """(geometry, time) of each column, and ``status``; by layer where layers have no date.

    Raises:
        OutputError: the run has not ended.
        InputError: there is no such column, or xvec is not installed.
    """
    try:
        import xvec
    except ModuleNotFoundError as error:
        raise InputError(
            f"a cube needs {error.name}; install it with: pip install 'zonalbatch[explore]'"
        ) from None
    there = rows.columns
    wanted = () if names is None else listed(names)
    columns = numbers(there) if names is None else [column_named(there, one) for one in wanted]
    grid = grid_of(rows, columns)
    dims = ("geometry", "time" if grid.dated else "layer")
    shapes = rows.zones
    made = xarray.Dataset(
        {
            **{
                one.name: (dims, grid.values[one.name], {"statistic": one.statistic})
                for one in columns
            },
            "status": (dims, grid.status),
        },
        coords={
            "zone_id": ("geometry", grid.zones), dims[1]: grid.times,
            "geometry": shapes.geometry.to_numpy(),
        },
    )  # fmt: skip
    made = made.drop_indexes("geometry").set_xindex("zone_id")
    return made.set_xindex("geometry", xvec.GeometryIndex, crs=shapes.crs)
