"""Vector questions: the bodies of requests about features, as they are checked and told."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from zonalbatch.service.figures import FIGURES, PATTERN
from zonalbatch.service.questions import Aoi, Link, distinct, known_names
from zonalbatch.service.vectors.measuring import DENSITY

__all__ = ["VectorAnswer", "VectorBody", "VectorStacBody"]


def _known(names: list[str]) -> list[str]:
    return known_names(names, DENSITY)


Name = Annotated[str, Field(min_length=1, max_length=200)]
Statistic = Annotated[str, Field(json_schema_extra={"pattern": f"{PATTERN}|^{DENSITY}$"})]


class _AskedOfFeatures(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    aoi: Aoi
    columns: Annotated[list[Name], Field(min_length=1, max_length=64), AfterValidator(distinct)] = (
        Field(description="Names of columns of numbers.", examples=[["population"]])
    )
    geometry_column: Name | None = Field(None, description="By default the file's primary one.")
    stats: Annotated[
        list[Statistic], Field(min_length=1, max_length=64), AfterValidator(_known)
    ] = Field(
        ["sum", "mean", "count", "density"],
        description=f"Of {', '.join(FIGURES)}, {DENSITY}, and percentiles (`p90` or "
        "`percentile_90`).",
    )


class VectorBody(_AskedOfFeatures):
    """An area and a file of features."""

    url: Link = Field(
        description="Of a GeoParquet file: http, https, s3 or file.",
        examples=["https://example.org/districts.parquet"],
    )


class VectorStacBody(_AskedOfFeatures):
    """An area and a STAC item."""

    url: Link = Field(
        description="Of a STAC item.", examples=["https://example.org/districts.json"]
    )
    asset: Name | None = Field(
        None, description="Its name; by default the first that is GeoParquet."
    )


class ColumnFigures(BaseModel):
    """Statistics by name, and the areas."""

    model_config = ConfigDict(extra="allow")

    aoi_area: float = Field(description="Of the area, m² on the ellipsoid.")
    data_area: float = Field(
        description="Of what lies in it of features with a value, m²; where features overlap, of "
        "each of them; 0 of lines and points."
    )


VectorAnswer = dict[str, ColumnFigures]
"""Column -> figures."""
