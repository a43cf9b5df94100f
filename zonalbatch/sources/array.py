"""Layers from xarray: a DataArray or Dataset with a CRS, lazy or in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zonalbatch.errors import SourceError
from zonalbatch.layers import Asset, Layer, Layers, Scene
from zonalbatch.sources.array_grid import array_grid
from zonalbatch.sources.bands import unknown_band
from zonalbatch.sources.causes import computing
from zonalbatch.sources.headers import asset_of
from zonalbatch.sources.nodata import held_nodata
from zonalbatch.sources.protocol import Band, Header, Pixels, ScaleOffset, in_order

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["ArrayPixels", "array_layers", "computed", "identified", "open_array"]

BLOCK = 512
"""Side of the blocks in which an array without chunks is read, cells."""


class ArrayPixels:
    """The bands of one time step of an array, as an open raster.

    Pickles whole, values or dask graph included; a dask array is computed in the calling
    thread, window by window.
    """

    def __init__(self, data: xr.DataArray, header: Header, name: str = "array") -> None:
        self._data = data
        self._header = header
        self._name = name

    @property
    def header(self) -> Header:
        """What the array says of itself."""
        return self._header

    @property
    def version(self) -> str:
        """What changes when the values do: the dask graph's name, or a digest of the values."""
        if self._data.chunks is not None:
            return f"dask-{self._data.data.name}"
        if not isinstance(self._data.variable._data, np.ndarray):  # lazy: it would be read whole
            return ""
        values = np.ascontiguousarray(self._data.values)
        return hashlib.blake2b(values.view(np.uint8).data, digest_size=16).hexdigest()

    def read(self, bands: Sequence[int], window: tuple[int, int, int, int]) -> NDArray[Any]:
        """Raw pixels, shape (band, row, col), of a half-open (top, left, bottom, right) window.

        Raises:
            ReadError: the files behind a lazy array cannot be read.
        """
        top, left, bottom, right = window
        part = self._data[[band - 1 for band in bands], top:bottom, left:right]
        with computing(self._name):
            return computed(part)

    def read_mask(self, window: tuple[int, int, int, int]) -> NDArray[np.bool_]:
        """All valid: an array has no mask beside nodata."""
        top, left, bottom, right = window
        return np.ones((bottom - top, right - left), dtype=bool)

    def close(self) -> None:
        """Nothing to let go of: the array belongs to its maker."""


def computed(part: xr.DataArray) -> NDArray[Any]:
    """The values of a part of an array, computed in this thread if they are lazy."""
    if part.chunks is None:
        return np.asarray(part.values)
    # One part of the work is one thread's: dask must not start threads of its own below it.
    return np.asarray(part.data.compute(scheduler="synchronous"))


def open_array(href: str, arrays: Mapping[str, Pixels]) -> Pixels:
    """The pixels that an ``array:<key>`` href stands for.

    Raises:
        SourceError: there is no such array.
    """
    if href not in arrays:
        raise SourceError(
            f"{href} is no array of this run; give the arrays that its layers came with"
        )
    return arrays[href]


@dataclass(frozen=True, slots=True, eq=False)
class _Variable:
    """One variable as (band, y, x) or (band, time, y, x) with names for its bands."""

    data: Any
    names: tuple[str, ...]
    time: Hashable | None


def array_layers(
    data: xr.DataArray | xr.Dataset,
    *,
    bands: Mapping[str, Band] | None = None,
    scale_offset: ScaleOffset = "auto",
) -> tuple[Layers, dict[str, ArrayPixels]]:
    """The layers of an array, one for each time step, and the pixels their hrefs stand for.

    Args:
        data: dims y and x, and perhaps one of time and one of bands, in any order; the variables
            of a Dataset are bands.
        bands: name → band by name (asset or description) or 1-based index; None takes all.
        scale_offset: "auto" and "file" take the attributes scale_factor and add_offset.

    Raises:
        SourceError: no CRS, no regular grid, another dimension, or an unknown band.
    """
    variables = _variables(data)
    names = [name for variable in variables for name in variable.names]
    bands = {name: Band(asset=name) for name in names} if bands is None else bands
    picked = {name: _position(name, band, names) for name, band in bands.items()}
    times = _times(variables)
    layers, arrays = [], dict[str, ArrayPixels]()
    for step, (when, key) in enumerate(zip(times, _ids(times, _name(data)), strict=True)):
        opened = _opened_at(variables, step, key)
        every = [(href, i) for href, one in opened.items() for i in _numbers(one.header)]
        assets = {}
        for name, position in picked.items():
            href, i = every[position]
            assets[name] = asset_of(href, i, opened[href].header, bands[name], scale_offset)
            arrays[href] = opened[href]
        scene = Scene(items=(key,), assets=assets)
        layers.append(Layer(id=key, datetime=when, scenes=(scene,)))
    return Layers(in_order(layers)), arrays


def identified(found: Layers, arrays: Mapping[str, ArrayPixels]) -> Layers:
    """Layers with a digest of all their values, for a plan that outlives the arrays."""
    versions = {href: pixels.version for href, pixels in arrays.items()}

    def known(asset: Asset) -> Asset:
        return replace(asset, version=versions[asset.href] or None)

    return replace(found, layers=tuple(layer.each_asset(known) for layer in found.layers))


def _name(data: xr.DataArray | xr.Dataset) -> str:
    return str(getattr(data, "name", None) or "array")


def _numbers(header: Header) -> range:
    """The bands of a header, 1-based."""
    return range(1, len(header.dtypes) + 1)


def _opened_at(variables: Sequence[_Variable], step: int, key: str) -> dict[str, ArrayPixels]:
    """Href → pixels of each variable at one time step."""
    opened = {}
    for i, variable in enumerate(variables, 1):
        href = f"array:{key}" if len(variables) == 1 else f"array:{key}/{variable.names[0]}"
        if href in opened:
            raise SourceError(
                f"two variables have a band {variable.names[0]!r}; rename one of them"
            )
        cube = variable.data
        cube = cube if variable.time is None else cube.isel({variable.time: step})
        header = _header(cube, variable.names)
        opened[href] = ArrayPixels(cube, header, f"{href} (variable {i})")
    return opened


# --- dimensions -------------------------------------------------------------------------------


def _variables(data: xr.DataArray | xr.Dataset) -> list[_Variable]:
    import rioxarray  # noqa: F401 - gives arrays their .rio
    import xarray as xr

    if isinstance(data, xr.DataArray):
        return [_variable(data, data.rio.crs, str(data.name) if data.name else "band_1")]
    if not isinstance(data, xr.Dataset):
        raise SourceError(f"{type(data).__name__} is no xarray DataArray or Dataset; give one")
    rasters = [name for name in data.data_vars if data[name].ndim >= 2]
    if not rasters:
        raise SourceError("the Dataset has no variable with rows and columns; give one that has")
    return [
        _variable(data[name], data[name].rio.crs or data.rio.crs, str(name)) for name in rasters
    ]


def _variable(data: Any, crs: Any, name: str) -> _Variable:
    if crs is None:
        raise SourceError(f"array {name!r} has no CRS; write it (data.rio.write_crs('EPSG:n'))")
    if not data.rio.crs:
        data = data.rio.write_crs(crs)
    y, x = _spatial(data, name)
    others = [dim for dim in data.dims if dim not in (y, x)]
    time = next((dim for dim in others if _is_time(data, dim)), None)
    band = [dim for dim in others if dim != time]
    if len(band) > 1:
        raise SourceError(
            f"array {name!r} has the dimensions {data.dims}; besides rows, columns and time one "
            "of bands is understood: select or stack the others"
        )
    names = _band_names(data, band[0], name) if band else (name,)
    data = data if band else data.expand_dims("band")
    order = [band[0] if band else "band", *([time] if time is not None else []), y, x]
    return _Variable(data.transpose(*order), names, time)


def _spatial(data: Any, name: str) -> tuple[Hashable, Hashable]:
    from rioxarray.exceptions import RioXarrayError

    try:
        return data.rio.y_dim, data.rio.x_dim
    except RioXarrayError as error:
        raise SourceError(
            f"array {name!r} has the dimensions {data.dims}, of which none are x and y; "
            "name them (data.rio.set_spatial_dims)"
        ) from error


def _is_time(data: Any, dim: Hashable) -> bool:
    if dim in ("time", "t"):
        return True
    return dim in data.coords and np.issubdtype(data[dim].dtype, np.datetime64)


def _band_names(data: Any, dim: Hashable, name: str) -> tuple[str, ...]:
    """Names of the bands: a coordinate of text, else rioxarray's ``long_name``, else numbers."""
    count = data.sizes[dim]
    if dim in data.coords and data[dim].dtype.kind in "UO":
        return tuple(str(value) for value in data[dim].values)
    told = data.attrs.get("long_name")
    if isinstance(told, tuple | list) and len(told) == count and all(told):
        return tuple(map(str, told))
    if count == 1:
        return (name,)
    stem = "band" if name == "band_1" else name
    return tuple(f"{stem}_{i}" for i in range(1, count + 1))


def _position(name: str, band: Band, names: Sequence[str]) -> int:
    """0-based position of a band among all.

    Raises:
        SourceError: there is no such band.
    """
    label = band.description or band.asset
    if label in names:
        return names.index(label)
    index = int(label) if label and label.isdigit() else band.index if label is None else None
    if index is None or not 1 <= index <= len(names):
        raise unknown_band(name, band, names)
    return index - 1


def _times(variables: Sequence[_Variable]) -> list[datetime | None]:
    timed = [variable for variable in variables if variable.time is not None]
    if not timed:
        return [None]
    data, dim = timed[0].data, timed[0].time
    if any(other.data.sizes[other.time] != data.sizes[dim] for other in timed):
        raise SourceError("the variables have different numbers of times; align them first")
    if dim not in data.coords or not np.issubdtype(data[dim].dtype, np.datetime64):
        return [None] * data.sizes[dim]
    return [_utc(value) for value in data[dim].values]


def _utc(value: np.datetime64) -> datetime | None:
    if np.isnat(value):
        return None
    moment: datetime = value.astype("datetime64[us]").item()
    return moment.replace(tzinfo=UTC)


def _ids(times: Sequence[datetime | None], name: str) -> list[str]:
    """Layer ids: the ISO time; ``layer-<i>`` where time is unknown or not unique."""
    if len(times) == 1 and times[0] is None:
        return [name]
    texts = [f"{t:%Y-%m-%dT%H:%M:%S}" if t else "" for t in times]
    return [
        text if text and texts.count(text) == 1 else f"{text}layer-{i}"
        for i, text in enumerate(texts)
    ]


# --- headers ----------------------------------------------------------------------------------


def _header(cube: Any, names: Sequence[str]) -> Header:
    count, dtype = cube.shape[0], str(cube.dtype)
    if cube.dtype.kind == "c":
        raise SourceError(
            f"array {names[0]!r} is complex ({dtype}); give the part of it to measure "
            "(data.real, data.imag, abs(data) or numpy.angle(data))"
        )
    if cube.dtype.kind not in "iufb" or cube.dtype.itemsize > 8:
        raise SourceError(
            f"array {names[0]!r} has the type {dtype}; give integers or floats of up to 64 bits"
        )
    scales, offsets = (
        _scales(cube, "scale_factor", "scales", 1.0),
        _scales(cube, "add_offset", "offsets", 0.0),
    )
    return Header(
        grid=array_grid(cube, names[0]),
        dtypes=(dtype,) * count,
        nodata=(_nodata(cube, dtype),) * count,
        scales=scales,
        offsets=offsets,
        descriptions=tuple(names),
        block=_block(cube),
        masked=False,
        version="",
    )


def _nodata(cube: Any, dtype: str) -> float | int | None:
    value = cube.rio.nodata
    return None if value is None or dtype == "bool" else held_nodata(value, dtype)


def _scales(cube: Any, one: str, many: str, default: float) -> tuple[float, ...]:
    """A factor for each band, from rioxarray's attributes (one, or one a band)."""
    count = cube.shape[0]
    told = cube.attrs.get(many)
    if told is not None and len(told) == count:
        return tuple(map(float, told))
    return (float(cube.attrs.get(one, default)),) * count


def _block(cube: Any) -> tuple[int, int]:
    height, width = cube.shape[-2:]
    if cube.chunks is None:
        return min(BLOCK, height), min(BLOCK, width)
    return int(cube.chunks[-2][0]), int(cube.chunks[-1][0])
