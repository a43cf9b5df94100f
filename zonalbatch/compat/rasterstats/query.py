"""Values at points and vertices with rasterstats' parameters and results."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from zonalbatch.compat.rasterstats.features import CHUNK_SIZE, Batch, read_batches
from zonalbatch.compat.rasterstats.figures import told
from zonalbatch.compat.rasterstats.surface import Surface, open_surface

__all__ = ["gen_point_query", "point_query"]


def point_query(*args: Any, **kwargs: Any) -> list[Any]:
    """The results of `gen_point_query` as a list."""
    return list(gen_point_query(*args, **kwargs))


def gen_point_query(
    vectors: Any,
    raster: Any,
    band: int = 1,
    layer: int | str = 0,
    nodata: float | None = None,
    affine: Any = None,
    interpolate: str = "bilinear",
    property_name: str = "value",
    geojson_out: bool = False,
    boundless: bool = True,
    engine: str | None = None,
    chunk_size: int = CHUNK_SIZE,
) -> Iterator[Any]:
    """Values of a raster at the vertices of each feature: one, or a list where there are several.

    Points are taken to lie in the raster's CRS; None is given where there is no value.

    Args:
        vectors: path, frame, GeoJSON, WKT, WKB, or an iterable of such features.
        raster: path or URL of a GDAL raster, or a 2-D array.
        band: number of the band of a file, from 1.
        layer: number or name of the layer of a vector file.
        nodata: raw value that means no data instead of the file's own; -999 where none is known.
        affine: the array's transform.
        interpolate: ``bilinear`` weights the four cells around, ``nearest`` takes the cell.
        property_name: where the values go among the properties of features.
        geojson_out: True gives features.
        boundless: False refuses points whose cells lie beyond the raster.
        engine: for files: None, ``pyogrio`` or ``fiona``; all are read by pyogrio.
        chunk_size: features at once.

    Raises:
        ValueError: an unknown way, vectors that are none, an array without an affine, a point
            beyond the raster if that is not allowed.
        OSError: the raster cannot be read.
    """
    if interpolate not in ("nearest", "bilinear"):
        raise ValueError(f"interpolate must be nearest or bilinear, not {interpolate!r}")
    batches = read_batches(vectors, layer, engine, chunk_size)
    surface = open_surface(raster, affine, nodata, band)
    for batch in batches:
        found = _values(batch, surface, interpolate == "bilinear", boundless)
        if not geojson_out:
            yield from found
            continue
        for feature, value in zip(batch.features(), found, strict=True):
            feature.setdefault("properties", {})[property_name] = value
            yield feature


def _values(batch: Batch, surface: Surface, bilinear: bool, boundless: bool) -> list[Any]:
    """The value of each feature, or the list of its vertices' values."""
    xy, feature = shapely.get_coordinates(batch.shapes, return_index=True)
    if not boundless and not surface.inside(_windows(xy, surface, bilinear)):
        raise ValueError("Window/bounds is outside dataset extent, boundless reads are disabled")
    values = _at(xy, surface, bilinear) if len(xy) else []
    ends = np.searchsorted(feature, np.arange(len(batch.shapes) + 1)).tolist()
    lists = [values[a:b] for a, b in pairwise(ends)]
    return [own[0] if len(own) == 1 else own for own in lists]


def _at(xy: NDArray[np.float64], surface: Surface, bilinear: bool) -> list[Any]:
    points = np.asarray(shapely.points(xy), dtype=object)
    found = told(points, surface, ["value"], "bilinear" if bilinear else "all_touched")
    kind = int if surface.dtype.kind in "iu" and not bilinear else float
    return [None if v is None or v != v else kind(v) for v in found["value"].tolist()]


def _windows(xy: NDArray[np.float64], surface: Surface, bilinear: bool) -> NDArray[np.int64]:
    """(point, 4) top, left, bottom, right of the cells that a value is made from."""
    lattice = surface.grid.lattice
    cell = np.stack(
        [(lattice.y0 - xy[:, 1]) / lattice.dy, (xy[:, 0] - lattice.x0) / lattice.dx], axis=1
    )
    first = np.round(cell) - 1 if bilinear else np.floor(cell)
    return np.hstack([first, first + (2 if bilinear else 1)]).astype(np.int64)
