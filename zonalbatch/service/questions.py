"""Questions: the bodies of requests, as they are checked and told in the OpenAPI document."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from zonalbatch.service.figures import FIGURES, PATTERN, unknown_figures
from zonalbatch.service.links import MOST_CHARACTERS

__all__ = [
    "Aoi", "BandFigures", "BatchBody", "Feature", "Link", "MeasureBody",
    "RasterAnswer", "RasterBody", "StacBody", "distinct", "known_names",
]  # fmt: skip

T = TypeVar("T")

Position = Annotated[list[Annotated[float, Field(allow_inf_nan=False)]], Field(min_length=2)]
Ring = Annotated[list[Position], Field(min_length=4)]


def _whole(value: Any) -> Any:
    """1.0 is an integer, as JSON Schema has it."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_whole)


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Geometry(_Closed):
    bbox: list[float] | None = Field(None, description="As RFC 7946 has it; not looked at.")


class Polygon(_Geometry):
    """A GeoJSON Polygon, longitude and latitude."""

    type: Literal["Polygon"]
    coordinates: Annotated[list[Ring], Field(min_length=1)]


class MultiPolygon(_Geometry):
    """A GeoJSON MultiPolygon, longitude and latitude."""

    type: Literal["MultiPolygon"]
    coordinates: Annotated[list[Annotated[list[Ring], Field(min_length=1)]], Field(min_length=1)]


class Point(_Geometry):
    """A GeoJSON Point, longitude and latitude; with a radius it stands for a circle."""

    type: Literal["Point"]
    coordinates: Position
    radius: float = Field(0, ge=0, le=10_000_000, description="Metres; 0: the pixel's value.")


Aoi = Annotated[Polygon | MultiPolygon | Point, Field(discriminator="type")]


def known_names(names: list[str], *others: str) -> list[str]:
    """Names of statistics, each once.

    Args:
        names: as they were sent.
        others: names that are known beside `FIGURES` and percentiles.

    Raises:
        ValueError: one is not known.
    """
    unknown = [name for name in unknown_figures(names) if name not in others]
    if unknown:
        raise ValueError(
            f"unknown statistics {', '.join(map(repr, unknown))}; known are "
            f"{', '.join((*FIGURES, *others))} and percentiles such as p90"
        )
    return distinct(names)


def distinct(values: list[T]) -> list[T]:
    """Each once, in order."""
    return list(dict.fromkeys(values))


Name = Annotated[str, Field(json_schema_extra={"pattern": PATTERN})]
Link = Annotated[
    str,
    Field(min_length=1, max_length=MOST_CHARACTERS, examples=["https://example.org/scene.tif"]),
]


def _statistics(output: Any) -> Any:
    """Refuse pixels, with where they are to be had."""
    if output == "raster":
        raise ValueError(
            "pixels are not given here, as the licences of many data sets let their users fetch "
            "them, and not others serve them again; use zonalbatch.extract_raster, or on the "
            "command line: zonalbatch extract"
        )
    return output


class MeasureBody(_Closed):
    """What is told of a raster."""

    output: Annotated[Literal["statistics"], BeforeValidator(_statistics)] = "statistics"

    bands: Annotated[
        list[Annotated[int, Field(ge=1, le=65_535), WHOLE]],
        Field(min_length=1, max_length=64),
        AfterValidator(distinct),
    ] = Field([1], description="Numbers of bands, from 1.")
    stats: Annotated[
        list[Name], Field(min_length=1, max_length=64), AfterValidator(known_names)
    ] = Field(
        ["min", "max", "mean", "count"],
        description=f"Of {', '.join(FIGURES)}, and percentiles (`p90` or `percentile_90`).",
    )
    approx_stats: bool = Field(
        False, description="Read overviews: approximate, and of an area of any size."
    )
    coverage: Literal["all_touched", "fraction", "center"] = Field(
        "all_touched",
        description="Every pixel that is met; each by the share that is covered; those whose "
        "centre is inside.",
    )


class RasterBody(MeasureBody):
    """An area and a raster."""

    aoi: Aoi
    url: Link = Field(description="Of a (cloud-optimised) GeoTIFF: http, https, s3 or file.")


class StacBody(MeasureBody):
    """An area and a STAC item."""

    aoi: Aoi
    url: Link = Field(description="Of a STAC item.")
    asset: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        None, description="Its name; by default the first that is a raster."
    )


class Feature(_Closed):
    """A GeoJSON Feature that is measured; its properties come back with its rows."""

    model_config = ConfigDict(extra="ignore", strict=True)

    type: Literal["Feature"]
    id: Annotated[str, Field(max_length=200)] | Annotated[int, WHOLE] | None = None
    geometry: Aoi
    properties: dict[str, Any] | None = None


class Features(_Closed):
    """A GeoJSON FeatureCollection."""

    model_config = ConfigDict(extra="ignore", strict=True)

    type: Literal["FeatureCollection"]
    features: Annotated[list[Feature], Field(min_length=1)]


class BatchBody(MeasureBody):
    """Many areas, and many rasters or items."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"oneOf": [{"required": ["urls"]}, {"required": ["items"]}]},
    )

    features: Features
    urls: Annotated[list[Link], Field(min_length=1)] = Field([], description="Of GeoTIFFs.")
    items: Annotated[list[Link], Field(min_length=1)] = Field(
        [], description="Of STAC items; these or `urls`."
    )
    asset: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        None, description="Name of the items' asset; by default the first that is a raster."
    )

    @model_validator(mode="after")
    def _one_kind(self) -> BatchBody:
        if bool(self.urls) == bool(self.items):
            raise ValueError("give urls or items, one of them")
        return self


class BandFigures(BaseModel):
    """Statistics by name, and the areas."""

    model_config = ConfigDict(extra="allow")

    aoi_area: float = Field(description="Of the area, m² on the ellipsoid.")
    data_area: float = Field(
        description="The area by the share of its cells that have data, m². Cells of a grid in "
        "degrees count alike, so that it is an estimate where the area spans many latitudes."
    )


RasterAnswer = dict[str, BandFigures]
"""``band_<n>`` -> figures."""
