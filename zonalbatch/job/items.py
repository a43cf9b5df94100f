"""Items: the keys of sources that are made of STAC items."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    PlainValidator,
    SerializerFunctionWrapHandler,
    StrictBool,
    StrictInt,
    WithJsonSchema,
    field_serializer,
    model_validator,
)

from zonalbatch.errors import SourceError
from zonalbatch.job.search import SearchKeys
from zonalbatch.job.signing import Signing, bare
from zonalbatch.job.values import Finite, Items, Text
from zonalbatch.sources.warp import CommonGrid, Resampling

__all__ = ["DataSetSource", "ItemSource", "StacSource", "StackSource"]


class ItemSource(SearchKeys):
    """STAC items: given, or searched for in an API."""

    items: Items | None = None
    """Path or URL of items (a FeatureCollection, stac-geoparquet, an item, a static catalog or
    collection), a list of such, or a list of the items themselves; or give api."""
    sign: Signing | None = None
    """What it takes to read the files of the items, as for files of kind cog; null takes
    planetary-computer for that API."""
    trusted: StrictBool = False
    """Read also files that may have other files and URLs opened, such as VRT and HDF5, and whatever
    else items link to: local files, and names of GDAL's such as /vsizip/..."""

    @model_validator(mode="after")
    def _one_of(self) -> ItemSource:
        if (self.items is None) == (self.api is None):
            raise ValueError("give either items, a file of STAC items, or api, to search in")
        return self

    @field_serializer("items", mode="wrap")
    def _bare(self, items: Any, written: SerializerFunctionWrapHandler) -> Any:
        # Documents are read without sign, so that their links are kept until they are written.
        return bare(written(items), self.sign)

    @property
    def in_memory(self) -> bool:
        """True if the items are objects that only Python holds."""
        items: Any = self.items or ""
        return not isinstance(items, str) and not isinstance(items[0], str)


class DataSetSource(SearchKeys):
    """A data set by name, as editors know it: a job's document is written out before it is read."""

    kind: Literal["dataset"]
    """A data set by name."""
    name: Text
    """provider:variable, as `zonalbatch datasets` lists them; the variable may be left out where
    bands or measurements say it."""
    sign: Signing | None = None
    """As for files of kind cog; null takes what the data set wants."""


class StacSource(ItemSource):
    """STAC items, each file on its own grid."""

    kind: Literal["stac"]
    """STAC items, each file on its own grid."""


def _cell(value: Any) -> tuple[float, float]:
    """Width and height of a cell; one length stands for both."""
    sides = tuple(value) if isinstance(value, list | tuple) else (value, value)
    real = all(isinstance(side, int | float) and not isinstance(side, bool) for side in sides)
    if len(sides) != 2 or not real or not all(0 < side < 1e300 for side in sides):
        raise ValueError("write a length, or a width and a height, in units of the CRS")
    return float(sides[0]), float(sides[1])


_SIDE = {"type": "number", "exclusiveMinimum": 0}
_CELL_SCHEMA: dict[str, Any] = {
    "anyOf": [_SIDE, {"type": "array", "items": _SIDE, "minItems": 2, "maxItems": 2}]
}
_Cell: TypeAlias = Annotated[Any, PlainValidator(_cell), WithJsonSchema(_CELL_SCHEMA)]


class StackSource(ItemSource):
    """STAC items, warped to one common grid."""

    kind: Literal["stack"]
    """STAC items, warped to one common grid."""
    epsg: StrictInt
    """Code of the grid's CRS, a projected one."""
    resolution: _Cell
    """Side of a cell, or its width and height, in units of the CRS."""
    resampling: Resampling = "nearest"
    """How a cell's value is made of pixels: nearest, bilinear, cubic, average or another of GDAL's
    ways; bands of masks are taken by nearest, unless this is mode."""
    bounds: tuple[Finite, Finite, Finite, Finite] | None = None
    """left, bottom, right and top in that CRS: cells count from there, and what lies beyond is left
    out. null takes all of every file, in cells whose edges are multiples of resolution."""

    @model_validator(mode="after")
    def _makes_a_grid(self) -> StackSource:
        try:
            self.grid()
        except SourceError as error:
            raise ValueError(str(error)) from None
        return self

    def grid(self) -> CommonGrid:
        """The common grid.

        Raises:
            SourceError: it is none.
        """
        return CommonGrid(
            epsg=self.epsg, resolution=self.resolution, resampling=self.resampling,
            bounds=self.bounds,
        )  # fmt: skip
