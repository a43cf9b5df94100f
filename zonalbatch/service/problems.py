"""Problems: refusals as they are told in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from zonalbatch.service.refusals import (
    BAD,
    BUSY,
    NO_KEY,
    NO_RASTER,
    NO_SOURCE,
    TOO_LARGE,
    TOO_LATE,
    TOO_MANY,
    TOO_SLOW,
    UNFIT,
)

__all__ = ["PROBLEMS", "Problem"]


class Problem(BaseModel):
    """Why there is no answer."""

    detail: Any = Field(description="A sentence; of bodies that are not valid, a list of faults.")


PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": told}
    for status, told in {
        BAD: "The area or the file cannot be used.",
        NO_KEY: "A key is needed.",
        TOO_SLOW: "The body was sent too slowly.",
        TOO_LARGE: "The body, the area or its pixels are too many.",
        NO_RASTER: "The file is no GeoTIFF.",
        UNFIT: "The body is not valid.",
        TOO_MANY: "Too many requests in a minute.",
        NO_SOURCE: "The file's server does not answer.",
        BUSY: "Too many questions at once.",
        TOO_LATE: "There was no answer in time.",
    }.items()
}
