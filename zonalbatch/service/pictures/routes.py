"""Pictures: the route that answers with a picture of a raster."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from zonalbatch.service.pictures.colours import ANCHORS
from zonalbatch.service.pictures.drawing import MOST_PIXELS, Picture, PictureQuestion, picture
from zonalbatch.service.problems import PROBLEMS
from zonalbatch.service.questions import WHOLE, Link

__all__ = ["router"]

Longitude = Annotated[float, Field(ge=-180, le=180)]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Value = Annotated[float, Field(ge=-1e300, le=1e300)]


def _tuple(value: Any) -> Any:
    """An array of JSON, whose items are checked one by one."""
    return tuple(value) if isinstance(value, list) else value


Bounds = Annotated[tuple[Longitude, Latitude, Longitude, Latitude], BeforeValidator(_tuple)]


class PictureBody(BaseModel):
    """A raster, and what of it is to be seen."""

    model_config = ConfigDict(extra="forbid", strict=True)

    url: Link = Field(description="Of a (cloud-optimised) GeoTIFF: http, https, s3 or file.")
    band: Annotated[int, WHOLE] = Field(1, ge=1, le=65_535, description="From 1.")
    bounds: Bounds | None = Field(
        None,
        description="West, south, east, north, degrees; what the raster has of it is drawn. "
        "By default all of it.",
    )
    size: Annotated[int, WHOLE] = Field(
        768, ge=1, le=MOST_PIXELS, description="Pixels of the longer side."
    )
    values: Annotated[tuple[Value, Value], BeforeValidator(_tuple)] | None = Field(
        None,
        description="Values of the first and the last colour; by default the 2nd and the 98th "
        "percentile of what is seen.",
    )


_HEADERS = {
    "Picture-Bounds": "West, south, east, north of its edges, degrees; longitudes run straight "
    "along its rows, latitudes along its columns.",
    "Picture-Values": "Values of the first and the last colour; empty if there is no data.",
    "Picture-Ramp": "Colours, at equal steps from the first to the last, hexadecimal.",
}
_PNG: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The picture; what has no data is transparent.",
        "content": {"image/png": {"schema": {"type": "string", "format": "binary"}}},
        "headers": {
            name: {"description": told, "schema": {"type": "string"}}
            for name, told in _HEADERS.items()
        },
    }
}

router = APIRouter(prefix="/api/v1/pictures", tags=["pictures"], responses=PROBLEMS)


@router.post("/raster", response_class=Response, responses=_PNG)
async def raster(body: PictureBody, request: Request) -> Response:
    """A picture of a band, from an overview, in which a pixel is so many degrees wide and high."""
    question = PictureQuestion(
        url=body.url, band=body.band, bounds=body.bounds, size=body.size, values=body.values
    )
    return _answer(await request.app.state.workers.asked(picture, question))


def _answer(drawn: Picture) -> Response:
    told = (drawn.bounds, drawn.values or (), ANCHORS)
    headers = {name: _listed(one) for name, one in zip(_HEADERS, told, strict=True)}
    return Response(drawn.png, media_type="image/png", headers=headers)


def _listed(values: Iterable[float | str]) -> str:
    return ",".join(map(str, values))
