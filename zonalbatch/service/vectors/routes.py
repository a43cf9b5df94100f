"""Vectors: the routes that answer with statistics of one area on the features of a file."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from zonalbatch.service.problems import PROBLEMS
from zonalbatch.service.refusals import NO_RASTER, TOO_LARGE
from zonalbatch.service.vectors.measuring import (
    VectorMeasure,
    feature_asset_answer,
    vector_answer,
)
from zonalbatch.service.vectors.questions import VectorAnswer, VectorBody, VectorStacBody

__all__ = ["router"]

MEANING = """

Features are cut by the area, and each is taken by the **share** of it that lies inside: of the area
of polygons, of the length of lines; points lie inside or do not. What only touches the border has
no share. Values that are null, NaN or infinite are left out.

- `sum` = Σ value · share takes values as amounts that are spread evenly over their feature, such as
  people; `density` is the sum for each km² of the whole area; `count` = Σ share; `nodata` = Σ share
  of features without a value; `freq_hist` = Σ share by value.
- `mean` = Σ value · a / Σ a takes values as rates that hold everywhere in their feature, such as
  people per km²; a is what of the feature lies inside: m², metres of lines, the number of points.
  `std`, `median`, percentiles, `majority` and `minority` are weighted by a, too.
- `min`, `max`, `range` and `unique` take all features inside alike.

These are the extensive and the intensive variables of areal interpolation (Goodchild and Lam,
Geo-Processing 1, 1980). A point without a radius takes the features that it lies in as a whole.
Polygons are cut in the plane of the file's CRS, the area's edges being off by 5 cm at most, and
measured on the ellipsoid (within 1e-9 for edges up to 10 km); edges are straight in that plane,
also where a file calls them spherical. `aoi_area` is that of geodesics between the area's vertices.
"""

_PROBLEMS: dict[int | str, dict[str, Any]] = PROBLEMS | {
    NO_RASTER: PROBLEMS[NO_RASTER] | {"description": "The file is no Parquet."},
    TOO_LARGE: PROBLEMS[TOO_LARGE]
    | {"description": "The body, the area or the features about it are too many."},
}

router = APIRouter(prefix="/api/v1/zonal-stats", tags=["zonal statistics"], responses=_PROBLEMS)


@router.post(
    "/vector",
    response_model=VectorAnswer,
    description=f"Statistics of an area on the features of a file, column by column.{MEANING}",
)
async def vector(body: VectorBody, request: Request) -> JSONResponse:
    """Statistics of an area on the features of a file, column by column."""
    workers, aoi = request.app.state.workers, body.aoi.model_dump()
    return JSONResponse(await workers.asked(vector_answer, _measure(body), aoi, body.url))


@router.post(
    "/vector/stac",
    response_model=VectorAnswer,
    description=f"Statistics of an area on a file of features of a STAC item.{MEANING}",
)
async def vector_stac(body: VectorStacBody, request: Request) -> JSONResponse:
    """Statistics of an area on a file of features of a STAC item."""
    workers, aoi = request.app.state.workers, body.aoi.model_dump()
    asked = workers.asked(feature_asset_answer, _measure(body), aoi, body.url, body.asset)
    return JSONResponse(await asked)


def _measure(body: VectorBody | VectorStacBody) -> VectorMeasure:
    """What a body asks to be told."""
    return VectorMeasure(
        columns=tuple(body.columns), geometry_column=body.geometry_column, stats=tuple(body.stats)
    )
