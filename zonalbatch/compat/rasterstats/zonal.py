"""Zonal statistics with rasterstats' parameters and results."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray

from zonalbatch.compat.rasterstats.features import CHUNK_SIZE, Batch, read_batches
from zonalbatch.compat.rasterstats.figures import figures
from zonalbatch.compat.rasterstats.marks import marked
from zonalbatch.compat.rasterstats.names import check_stats, remap_categories
from zonalbatch.compat.rasterstats.surface import Surface, open_surface
from zonalbatch.compat.rasterstats.zone_arrays import ZoneArray, figures_of, zone_array
from zonalbatch.cover.coverage import CoverageRule
from zonalbatch.lattice import Lattice
from zonalbatch.shown import tracked

__all__ = ["gen_zonal_stats", "raster_stats", "windows", "zonal_stats"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Asked:
    """What is wanted of each zone."""

    stats: Sequence[str]
    rule: CoverageRule
    categorical: bool
    category_map: Mapping[Any, Any] | None
    add_stats: Mapping[str, Callable[..., Any]]
    zone_func: Callable[[Any], Any] | None
    raster_out: bool
    prefix: str | None
    geojson_out: bool
    boundless: bool

    @property
    def arrays(self) -> bool:
        """True if the zones' own arrays are needed."""
        return bool(self.add_stats or self.zone_func is not None or self.raster_out)


def raster_stats(*args: Any, **kwargs: Any) -> list[Any]:
    """`zonal_stats` under its old name, with a DeprecationWarning."""
    warnings.warn(
        "'raster_stats' is an alias to 'zonal_stats' and will disappear in 1.0",
        DeprecationWarning,
        stacklevel=2,
    )
    return zonal_stats(*args, **kwargs)


def zonal_stats(*args: Any, **kwargs: Any) -> list[Any]:
    """The results of `gen_zonal_stats` as a list; ``progress=True`` shows a bar."""
    found = gen_zonal_stats(*args, **kwargs)
    return list(tracked(found, "zones") if kwargs.get("progress") else found)


def gen_zonal_stats(
    vectors: Any,
    raster: Any,
    layer: int | str = 0,
    band: int = 1,
    nodata: float | None = None,
    affine: Any = None,
    stats: Sequence[str] | str | None = None,
    all_touched: bool = False,
    categorical: bool = False,
    category_map: Mapping[Any, Any] | None = None,
    add_stats: Mapping[str, Callable[..., Any]] | None = None,
    zone_func: Callable[[Any], Any] | None = None,
    raster_out: bool = False,
    prefix: str | None = None,
    geojson_out: bool = False,
    boundless: bool = True,
    engine: str | None = None,
    chunk_size: int = CHUNK_SIZE,
    **kwargs: Any,
) -> Iterator[dict[Any, Any]]:
    """Statistics of the cells of a raster in each zone, one dict after the other.

    Zones are taken to lie in the raster's CRS. Where the package's docstring does not say
    otherwise, the answers are those of rasterstats 0.21.

    Args:
        vectors: path, frame, GeoJSON, WKT, WKB, or an iterable of such features.
        raster: path or URL of a GDAL raster, or a 2-D array.
        layer: number or name of the layer of a vector file.
        band: number of the band of a file, from 1.
        nodata: raw value that means no data instead of the file's own; -999 where none is known.
        affine: the array's transform.
        stats: names, see `names.VALID_STATS` and ``percentile_<q>``; ``"*"`` for all.
        all_touched: True takes every cell that a zone meets, not those whose centre is inside.
        categorical: True counts the cells of each value, under the value as key.
        category_map: value -> name to be used as key instead.
        add_stats: name -> function of the zone's masked array, perhaps of the feature's
            properties, perhaps of the array that is True in the zone.
        zone_func: function of the masked array, which it changes or returns another for.
        raster_out: True adds ``mini_raster_array``, ``mini_raster_affine``, ``mini_raster_nodata``.
        prefix: text before all keys.
        geojson_out: True gives features, with the statistics among their properties.
        boundless: False refuses zones that reach beyond the raster.
        engine: for files: None, ``pyogrio`` or ``fiona``; all are read by pyogrio.
        chunk_size: zones at once.
        kwargs: ``transform``, ``band_num``, ``copy_properties`` of old, which warn; others mean
            nothing.

    Raises:
        ValueError: unknown statistics, vectors that are none, an array without an affine, a zone
            beyond the raster if that is not allowed.
        TypeError: ``zone_func`` is no function.
        OSError: the raster cannot be read.
    """
    names = check_stats(stats, categorical)
    affine, band = _of_old(kwargs, affine, band)
    if zone_func is not None and not callable(zone_func):
        raise TypeError(
            "zone_func must be a callable function which accepts a single `zone_array` arg."
        )
    asked = _Asked(
        stats=names, rule="all_touched" if all_touched else "center", categorical=categorical,
        category_map=category_map, add_stats=add_stats or {}, zone_func=zone_func,
        raster_out=raster_out, prefix=prefix, geojson_out=geojson_out, boundless=boundless,
    )  # fmt: skip
    surface = open_surface(raster, affine, nodata, band)
    for batch in read_batches(vectors, layer, engine, chunk_size):
        yield from _of_batch(batch, surface, asked)


def _of_old(kwargs: Mapping[str, Any], affine: Any, band: int) -> tuple[Any, int]:
    """The affine and the band, perhaps from parameters of old, which warn."""
    if transform := kwargs.get("transform"):
        _deprecate(
            "GDAL-style transforms will disappear in 1.0. "
            "Use affine=Affine.from_gdal(*transform) instead"
        )
        c, a, b, f, d, e = transform
        affine = affine or Affine(a, b, c, d, e, f)
    if kwargs.get("copy_properties"):
        _deprecate("Use `geojson_out` to preserve feature properties")
    if kwargs.get("band_num"):
        _deprecate("Use `band` to specify band number")
        band = kwargs["band_num"]
    return affine, band


def _deprecate(text: str) -> None:
    warnings.warn(text, DeprecationWarning, stacklevel=4)


def windows(shapes: NDArray[np.object_], lattice: Lattice) -> NDArray[np.int64]:
    """(zone, 4) top, left, bottom, right of the cells that bounds reach; 0 for nothing's."""
    left, bottom, right, top = shapely.bounds(shapes).T
    rows = np.floor((lattice.y0 - top) / lattice.dy), np.ceil((lattice.y0 - bottom) / lattice.dy)
    cols = np.floor((left - lattice.x0) / lattice.dx), np.ceil((right - lattice.x0) / lattice.dx)
    edges = np.stack([rows[0], cols[0], rows[1], cols[1]], axis=1)
    return np.nan_to_num(edges, nan=0).astype(np.int64)


def _of_batch(batch: Batch, surface: Surface, asked: _Asked) -> Iterator[dict[Any, Any]]:
    lattice = surface.grid.lattice
    shapes = marked(shapely.force_2d(batch.shapes), lattice, lines=asked.rule == "center")
    spans = windows(shapes, lattice)
    if not asked.boundless and not surface.inside(spans):
        raise ValueError("Window/bounds is outside dataset extent, boundless reads are disabled")
    features = batch.features() if asked.geojson_out or asked.add_stats else [{}] * len(shapes)
    if asked.arrays:
        found = _with_arrays(shapes, spans, features, surface, asked)
    else:
        found = _of_engine(shapes, surface, asked)
    for feature, own in zip(features, found, strict=True):
        yield _given(feature, own, asked)


def _of_engine(
    shapes: NDArray[np.object_], surface: Surface, asked: _Asked
) -> Iterator[dict[Any, Any]]:
    if not len(shapes):
        return
    for stats, counts in figures(
        shapes, surface, asked.stats, asked.rule, categorical=asked.categorical
    ):
        yield remap_categories(asked.category_map or {}, counts) | stats


def _with_arrays(
    shapes: NDArray[np.object_],
    spans: NDArray[np.int64],
    features: Sequence[dict[str, Any]],
    surface: Surface,
    asked: _Asked,
) -> Iterator[dict[Any, Any]]:
    for shape, span, feature in zip(shapes, spans, features, strict=True):
        zone = zone_array(shape, span, surface, asked.rule).changed(asked.zone_func)
        counts, stats = figures_of(zone, asked.stats, categorical=asked.categorical)
        own = remap_categories(asked.category_map or {}, counts) | stats
        own |= {name: _called(f, zone, feature) for name, f in asked.add_stats.items()}
        if asked.raster_out:
            own["mini_raster_array"] = zone.cells
            own["mini_raster_affine"] = Affine(*zone.affine)
            own["mini_raster_nodata"] = surface.nodata
        yield own


def _called(function: Callable[..., Any], zone: ZoneArray, feature: Mapping[str, Any]) -> Any:
    """A function of the user, with as many arguments as it takes."""
    given = (zone.cells, feature.get("properties"), zone.inside)
    count = len(inspect.signature(function).parameters)
    return function(*given[: count if count in (2, 3) else 1])


def _given(feature: dict[str, Any], own: dict[Any, Any], asked: _Asked) -> dict[Any, Any]:
    if asked.prefix is not None:
        own = {f"{asked.prefix}{key}": value for key, value in own.items()}
    if not asked.geojson_out:
        return own
    feature.setdefault("properties", {}).update(own)
    return feature
