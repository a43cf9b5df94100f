"""Features: whatever rasterstats takes as vectors, in batches of shapes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import shape

__all__ = ["CHUNK_SIZE", "Batch", "read_batches", "read_featurecollection", "read_features"]

CHUNK_SIZE = 65536
"""Features in a batch."""

KINDS = ("Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon")

Feature = dict[str, Any]
Objects = NDArray[np.object_]


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Some features, with their shapes at hand and all else when it is asked for."""

    shapes: Objects
    """(feature,) geometries."""
    features: Callable[[], list[Feature]]
    """Makes the GeoJSON-like features."""


def read_batches(
    vectors: Any, layer: int | str = 0, engine: str | None = None, chunk_size: int = CHUNK_SIZE
) -> Iterator[Batch]:
    """The features of a file, a frame, GeoJSON, WKT, WKB, or of a list of such things.

    Args:
        vectors: path, text, bytes, mapping, iterable, or an object with a ``__geo_interface__``.
        layer: number or name of a file's layer.
        engine: ``pyogrio``, ``fiona`` or None; pyogrio reads all files, whichever is named.
        chunk_size: features in a batch.

    Raises:
        ValueError: it is none of these.
    """
    if isinstance(vectors, str | os.PathLike) and _is_vector_file(vectors, layer):
        if engine not in (None, "pyogrio", "fiona"):
            raise ValueError(f"Unknown engine {engine!r}. Choose 'pyogrio' or 'fiona'.")
        return _of_file(os.fspath(vectors), layer, chunk_size)
    if hasattr(vectors, "iterfeatures") and hasattr(vectors, "geometry"):
        shapes = np.asarray(vectors.geometry.array, dtype=object)
        return iter([Batch(shapes, lambda: list(vectors.iterfeatures()))])
    return _of_features(_features(vectors), chunk_size)


def read_features(
    obj: Any, layer: int | str = 0, engine: str | None = None, chunk_size: int = CHUNK_SIZE
) -> Iterator[Feature]:
    """The features one by one, see `read_batches`."""
    batches = read_batches(obj, layer, engine, chunk_size)
    return (feature for batch in batches for feature in batch.features())


def read_featurecollection(obj: Any, layer: int | str = 0) -> Feature:
    """All features as one collection."""
    return {"type": "FeatureCollection", "features": list(read_features(obj, layer))}


def _is_vector_file(path: str | os.PathLike[str], layer: int | str) -> bool:
    """True if a path names a vector file that has a feature, or does not tell how many."""
    import pyogrio

    try:
        return bool(pyogrio.read_info(path, layer=layer)["features"])
    except pyogrio.errors.DataSourceError:
        return False


def _of_file(path: str, layer: int | str, chunk_size: int) -> Iterator[Batch]:
    import pyogrio

    start, size = 0, chunk_size
    while size == chunk_size:
        meta, fids, wkb, columns = pyogrio.raw.read(
            path, layer=layer, skip_features=start, max_features=chunk_size, return_fids=True
        )
        size = len(wkb)
        start += size
        if size:
            yield _read(meta["fields"], fids, wkb, columns)


def _read(names: Any, fids: Any, wkb: Any, columns: Any) -> Batch:
    shapes = np.asarray(shapely.from_wkb(wkb), dtype=object)

    def features() -> list[Feature]:
        rows = zip(*(column.tolist() for column in columns), strict=True)
        properties = [dict(zip(names, row, strict=True)) for row in rows] or [{} for _ in shapes]
        return [
            {"type": "Feature", "id": str(fid), "properties": own,
             "geometry": None if one is None else one.__geo_interface__}
            for fid, one, own in zip(fids, shapes, properties, strict=True)
        ]  # fmt: skip

    return Batch(shapes, features)


def _of_features(features: Iterable[Feature], chunk_size: int) -> Iterator[Batch]:
    left = iter(features)
    while some := list(islice(left, chunk_size)):
        shapes = np.empty(len(some), dtype=object)
        shapes[:] = [_shape(feature["geometry"]) for feature in some]
        yield Batch(shapes, partial(list, some))


def _shape(geometry: Any) -> Any:
    return geometry if geometry is None or shapely.is_geometry(geometry) else shape(geometry)


def _features(obj: Any) -> Iterable[Feature]:
    """GeoJSON-like features of anything but files and frames."""
    if isinstance(obj, str | os.PathLike):
        return _of_text(os.fspath(obj))
    if isinstance(obj, Mapping):
        return _of_mapping(obj)
    if isinstance(obj, bytes):
        return [_parsed(obj)]
    if hasattr(obj, "__geo_interface__"):
        return _of_mapping(obj.__geo_interface__)
    if isinstance(obj, Iterable):
        return map(_parsed, obj)
    raise ValueError("Object is not a recognized source of Features")


def _of_text(text: Any) -> Iterable[Feature]:
    try:
        told = json.loads(text)
    except json.JSONDecodeError:
        return [_parsed(text)]
    return _of_mapping(told)


def _of_mapping(mapping: Any) -> Iterable[Feature]:
    if isinstance(mapping, Mapping) and mapping.get("type") == "FeatureCollection":
        features = list(mapping.get("features") or ())
        if not features:
            raise ValueError("Object is not a recognized source of Features: it has none")
        return features
    return [_parsed(mapping)]


def _parsed(obj: Any) -> Feature:
    """One feature from a feature, a geometry, WKT or WKB.

    Raises:
        ValueError: it is none of these.
    """
    told = getattr(obj, "__geo_interface__", obj)
    if isinstance(told, Mapping):
        if told.get("type") in KINDS:
            return {"type": "Feature", "properties": {}, "geometry": told}
        if told.get("type") == "Feature":
            return told  # type: ignore[return-value] # as it is: results are added to it
    elif isinstance(obj, str | bytes):
        try:
            read = shapely.from_wkt(obj) if isinstance(obj, str) else shapely.from_wkb(obj)
            geometry = read.__geo_interface__
        except (shapely.errors.ShapelyError, AttributeError) as error:
            raise _unknown(obj) from error
        return {"type": "Feature", "properties": {}, "geometry": geometry}
    raise _unknown(obj)


def _unknown(obj: Any) -> ValueError:
    return ValueError(f"Can't parse {obj!r} as a geojson Feature object")
