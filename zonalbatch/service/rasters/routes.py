"""Rasters: the routes that answer with statistics of one area on one raster."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from zonalbatch.service.questions import (
    MeasureBody,
    Problem,
    RasterAnswer,
    RasterBody,
    StacBody,
)
from zonalbatch.service.rasters.measuring import Measure, asset_answer, raster_answer
from zonalbatch.service.refusals import (
    BAD,
    BUSY,
    NO_RASTER,
    NO_SOURCE,
    TOO_LARGE,
    TOO_LATE,
    TOO_MANY,
    UNFIT,
)

__all__ = ["PROBLEMS", "measure_of", "router"]

PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": told}
    for status, told in {
        BAD: "The area or the file cannot be used.",
        401: "A key is needed.",
        408: "The body was sent too slowly.",
        TOO_LARGE: "The body, the area or its pixels are too many.",
        NO_RASTER: "The file is no GeoTIFF.",
        UNFIT: "The body is not valid.",
        TOO_MANY: "Too many requests in a minute.",
        NO_SOURCE: "The file's server does not answer.",
        BUSY: "Too many questions at once.",
        TOO_LATE: "There was no answer in time.",
    }.items()
}

router = APIRouter(prefix="/api/v1/zonal-stats", tags=["zonal statistics"], responses=PROBLEMS)


@router.post("/raster", response_model=RasterAnswer)
async def raster(body: RasterBody, request: Request) -> JSONResponse:
    """Statistics of an area on a raster, band by band."""
    workers, aoi = request.app.state.workers, body.aoi.model_dump()
    return JSONResponse(await workers.asked(raster_answer, measure_of(body), aoi, body.url))


@router.post("/raster/stac", response_model=RasterAnswer)
async def raster_stac(body: StacBody, request: Request) -> JSONResponse:
    """Statistics of an area on a raster of a STAC item, with the item's scale and offset."""
    workers, aoi = request.app.state.workers, body.aoi.model_dump()
    asked = workers.asked(asset_answer, measure_of(body), aoi, body.url, body.asset)
    return JSONResponse(await asked)


def measure_of(body: MeasureBody) -> Measure:
    """What a body asks to be told."""
    return Measure(
        bands=tuple(body.bands), stats=tuple(body.stats), coverage=body.coverage,
        approximate=body.approx_stats,
    )  # fmt: skip
