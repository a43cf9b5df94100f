"""Rasters: the routes that answer with statistics of one area on one raster."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from zonalbatch.service.problems import PROBLEMS
from zonalbatch.service.questions import (
    MeasureBody,
    RasterAnswer,
    RasterBody,
    StacBody,
)
from zonalbatch.service.rasters.measuring import Measure
from zonalbatch.service.rasters.together import asset_answers, raster_answers

__all__ = ["measure_of", "router"]

router = APIRouter(prefix="/api/v1/zonal-stats", tags=["zonal statistics"], responses=PROBLEMS)


@router.post("/raster", response_model=RasterAnswer)
async def raster(body: RasterBody, request: Request) -> JSONResponse:
    """Statistics of an area on a raster, band by band."""
    gathering, aoi = request.app.state.gathering, body.aoi.model_dump()
    asked = gathering.asked(raster_answers, measure_of(body), body.url, about=aoi)
    return JSONResponse(await asked)


@router.post("/raster/stac", response_model=RasterAnswer)
async def raster_stac(body: StacBody, request: Request) -> JSONResponse:
    """Statistics of an area on a raster of a STAC item, with the item's scale and offset."""
    gathering, aoi = request.app.state.gathering, body.aoi.model_dump()
    asked = gathering.asked(asset_answers, measure_of(body), body.url, body.asset, about=aoi)
    return JSONResponse(await asked)


def measure_of(body: MeasureBody) -> Measure:
    """What a body asks to be told."""
    return Measure(
        bands=tuple(body.bands), stats=tuple(body.stats), coverage=body.coverage,
        approximate=body.approx_stats,
    )  # fmt: skip
