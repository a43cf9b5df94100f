"""Scenes: layers seen small over one area, as three bands."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zonalbatch.cog.frame import Frame, brought, check_window, level_for, window_of
from zonalbatch.errors import ReadError
from zonalbatch.layers import Asset, Layer
from zonalbatch.pictures.thinning import thinned
from zonalbatch.sources import Pixels
from zonalbatch.sources.retries import tried
from zonalbatch.sources.view import View

__all__ = ["Scene", "frame_over", "scenes_seen"]

PIXELS = 180
"""Of the longer side of a scene, at most."""
THREADS = 8

Bounds = tuple[float, float, float, float]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scene:
    """A layer as it is seen."""

    layer: Layer
    image: Floats
    """(row, col, band) physical values, NaN where there are none."""
    cause: str = ""
    """Why it could not be read; empty if it could."""

    @property
    def empty(self) -> bool:
        """True if there is nothing to see, though it could be read."""
        return not self.cause and bool(np.isnan(self.image).all())


def frame_over(layers: Sequence[Layer], box: Callable[[str], Bounds]) -> Frame:
    """A box about an area, in whole cells of the first layer.

    Args:
        layers: one at least, with an asset.
        box: left, bottom, right and top of the area in a CRS.
    """
    lattice = next(asset for layer in layers for asset in layer.assets).grid.lattice
    left, bottom, right, top = box(lattice.crs)
    x, y = 0.03 * (right - left), 0.03 * (top - bottom)
    window = lattice.outward((left - x, bottom - y, right + x, top + y))
    times = max(1.0, max(window.shape) / PIXELS)
    rows, cols = (max(1, round(side / times)) for side in window.shape)
    return Frame(lattice.crs, lattice.bounds(window), (rows, cols))


def scenes_seen(
    layers: Sequence[Layer], bands: Sequence[str], frame: Frame, opened: Callable[[str], Pixels]
) -> list[Scene]:
    """The layers as they are seen in a frame, several read at once.

    Args:
        layers: in their order.
        bands: names of three.
        frame: the area, cut into pixels.
        opened: gives the pixels of an href.
    """
    from rasterio.errors import NotGeoreferencedWarning

    with warnings.catch_warnings(), ThreadPoolExecutor(THREADS) as pool:
        # GDAL's arrays in memory, from which it warps, lie nowhere until they are told where.
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        return list(pool.map(lambda layer: _seen(layer, bands, frame, opened), layers))


def _seen(
    layer: Layer, bands: Sequence[str], frame: Frame, opened: Callable[[str], Pixels]
) -> Scene:
    none = np.full((*frame.shape, len(bands)), np.nan)
    missing = layer.missing
    if any(name in missing for name in bands):
        return Scene(layer=layer, image=none, cause=next(iter(missing.values())))
    files = _Files(opened)
    told = tried(lambda: _image(layer, bands, frame, files))
    files.close()
    if isinstance(told, ReadError):
        return Scene(layer=layer, image=none, cause=str(told))
    return Scene(layer=layer, image=told)


class _Files:
    """The files of a layer, each opened once."""

    def __init__(self, opened: Callable[[str], Pixels]) -> None:
        self._opened, self._open = opened, dict[str, Pixels]()

    def __call__(self, href: str) -> Pixels:
        if href not in self._open:
            self._open[href] = self._opened(href)
        return self._open[href]

    def close(self) -> None:
        for pixels in self._open.values():
            pixels.close()


def _image(layer: Layer, bands: Sequence[str], frame: Frame, files: _Files) -> Floats:
    """(row, col, band) what the layer shows: in each pixel its first scene that has all bands."""
    image = np.full((*frame.shape, len(bands)), np.nan)
    for scene in layer.scenes:
        lacking = np.isnan(image).any(axis=-1)
        if not lacking.any():
            break
        found = np.stack([_band(scene.assets[name], frame, files) for name in bands], axis=-1)
        image[lacking] = found[lacking]
    image[np.isnan(image).any(axis=-1)] = np.nan
    return image


def _band(asset: Asset, frame: Frame, files: _Files) -> Floats:
    """(row, col) physical values of a band."""
    view = View.of(asset.href)
    pixels = files(asset.href)
    file = pixels.header
    if view.overview is view.warp is None:
        level = level_for(file.grid, tuple(map(float, file.overviews)), frame)
        pixels = files(str(replace(view, overview=level)))
    window = window_of(pixels.header.grid, frame)
    check_window(window, view.href)
    at = asset.band - 1
    few = thinned(pixels, _with_nodata(file, asset), asset.band, window, frame)
    values, there = brought(
        few.values[None], few.valid[None], few.transform, file.grid.lattice.crs, frame, "nearest",
        0,
    )  # fmt: skip
    scale = file.scales[at] if asset.scale is None else asset.scale
    offset = file.offsets[at] if asset.offset is None else asset.offset
    return np.where(there[0], values[0] * np.float64(scale) + offset, np.nan)


def _with_nodata(file: Any, asset: Asset) -> Any:
    """What a file says of itself, but for the nodata value of a band, which a job may say."""
    if asset.nodata is None:
        return file
    nodata = list(file.nodata)
    nodata[asset.band - 1] = None if asset.nodata == "none" else asset.nodata
    return replace(file, nodata=tuple(nodata))
