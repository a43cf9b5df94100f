"""Rasters: the routes that answer with statistics of one area on one raster."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from zonalbatch.service.measuring import RasterQuestion, raster_answer
from zonalbatch.service.questions import Problem, RasterAnswer, RasterBody
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

__all__ = ["PROBLEMS", "router"]

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
    question = RasterQuestion(
        aoi=body.aoi.model_dump(), url=body.url, bands=tuple(body.bands), stats=tuple(body.stats),
        coverage=body.coverage, approximate=body.approx_stats,
    )  # fmt: skip
    return JSONResponse(await request.app.state.workers.asked(raster_answer, question))
