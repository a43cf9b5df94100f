"""Zones as their reader gives them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import geopandas
import numpy as np
import pyarrow as pa
import shapely

from zonalbatch.zones import ZoneReader, open_zones

SQUARE = shapely.box(0, 0, 2, 2)


def frame_of(shapes: Sequence[Any], crs: Any = "EPSG:32633", **columns: Any) -> Any:
    """A GeoDataFrame of some shapes."""
    return geopandas.GeoDataFrame(columns, geometry=list(shapes), crs=crs)


def table(zones: Any, size: int = 65_536, **options: Any) -> pa.Table:
    """All batches in one."""
    return pa.concat_tables(open_zones(zones, **options).batches(size))


def read(zones: Any, **options: Any) -> tuple[Any, ZoneReader]:
    """Shapes, and the reader after it has read them."""
    reader = open_zones(zones, **options)
    column = pa.concat_tables(reader.batches())["geometry"].to_numpy()
    return shapely.from_wkb(column), reader


def fields(n: int = 20, crs: Any = "EPSG:32633") -> Any:
    """Some fields with an id, a crop and an area."""
    shapes = [shapely.box(i, 0, i + 0.9, 1 + i) for i in range(n)]
    return frame_of(shapes, crs, field=np.arange(n) + 100, crop=[f"c{i % 3}" for i in range(n)])
