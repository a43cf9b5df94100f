"""Files of features, and questions about them that are answered in this process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from zonalbatch.service.desk import Desk
from zonalbatch.service.settings import Settings
from zonalbatch.service.vectors.measuring import VectorMeasure, vector_answer

__all__ = ["answered", "geojson", "squares", "written"]


def squares(side: int = 10, step: float = 0.01) -> gpd.GeoDataFrame:
    """Squares that tile ``side * step`` degrees from (5, 50), each row of them a value ``v`` apart.

    Column ``n`` is the number of the square; the rows run from the south-west to the north-east.
    """
    i = np.arange(side * side)
    x, y = 5 + i % side * step, 50 + i // side * step
    return gpd.GeoDataFrame(
        {"v": i // side * 1.5, "n": i}, geometry=shapely.box(x, y, x + step, y + step), crs=4326
    )


def written(frame: gpd.GeoDataFrame, path: Path, rows: int = 10, **options: Any) -> Path:
    """A frame as GeoParquet with boxes, of row groups of so many rows."""
    options = {"write_covering_bbox": True, "row_group_size": rows} | options
    frame.to_parquet(path, index=False, **options)
    return path


def geojson(shape: Any) -> dict[str, Any]:
    """A shape as a question has it."""
    return dict(json.loads(shapely.to_geojson(shape)))


def answered(
    path: Path, aoi: Any, *columns: str, stats: tuple[str, ...] = ("sum", "count"), **told: Any
) -> dict[str, Any]:
    """The answer about a file; of one column, its figures.

    Args:
        path: of the file.
        aoi: a shape, or GeoJSON.
        columns: of numbers.
        stats: what is told.
        told: ``geometry_column``, and settings of the service.
    """
    measure = VectorMeasure(
        columns=columns, geometry_column=told.pop("geometry_column", None), stats=stats
    )
    desk = Desk(Settings(root=path.parent, **told))
    aoi = aoi if isinstance(aoi, dict) else geojson(aoi)
    found = vector_answer(desk, measure, aoi, f"file:///{path.name}")
    return found[columns[0]] if len(columns) == 1 else found
