"""Layers from STAC items whose files are put on one common grid."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from zonalbatch.errors import SourceError
from zonalbatch.layers import Asset, Layer, Layers, Scene
from zonalbatch.sources.access import OPEN, Access
from zonalbatch.sources.causes import shown
from zonalbatch.sources.protocol import Band, ScaleOffset
from zonalbatch.sources.stac import stac_layers
from zonalbatch.sources.view import View
from zonalbatch.sources.warp import CommonGrid, Warp

__all__ = ["stack_layers"]

KEEPING = ("nearest", "mode")
"""Ways of resampling that make no value which the file does not hold."""


def stack_layers(
    items: str | Path | Sequence[Any],
    grid: CommonGrid,
    *,
    bands: Mapping[str, Band] | None = None,
    classes: Collection[str] = (),
    scale_offset: ScaleOffset = "auto",
    access: Access = OPEN,
) -> Layers:
    """The layers of `stac_layers`, each file as a view of it on a common grid; reads no pixel.

    A file's cells are those of the common grid that its extent touches, so that it says nothing
    where it does not lie, and none of it is read in vain. Scale, offset and nodata are those of
    the file's raw values, as without a common grid; warping works on raw values.

    Args:
        items: as of `stac_layers`.
        grid: on which all files are put.
        bands: name → asset key or common name; None takes all raster assets of role data.
        classes: names of the bands that hold classes, of which there is no mean: they are taken
            by nearest unless the grid's way is nearest or mode.
        scale_offset: whose scale and offset to apply.
        access: how the right to read the files is come by.

    Raises:
        SourceError: as of `stac_layers`; a band is a part of complex numbers; all files lie
            outside of the bounds.
        ReadError: as of `stac_layers`.
    """
    for name, band in (bands or {}).items():
        if band.part is not None:
            raise SourceError(
                f"band {name!r} takes the part {band.part!r} of complex pixels, which cannot be "
                "put on a common grid; use source kind stac, or write the part as a file"
            )
    found = stac_layers(items, bands=bands, scale_offset=scale_offset, access=access)
    of_classes = grid if grid.resampling in KEEPING else replace(grid, resampling="nearest")
    grids = {
        name: of_classes if name in classes else grid
        for layer in found.layers
        for name in layer.bands
    }
    layers = [layer.each(lambda scene: _on_grid(scene, grids)) for layer in found.layers]
    inside = tuple(layer for layer in layers if layer.assets)
    if layers and not inside:
        raise SourceError(
            f"all {len(layers)} items lie outside of bounds {grid.bounds}; give bounds, in units "
            f"of EPSG:{grid.epsg}, that hold some of them"
        )
    return replace(found, layers=inside, notes=(*found.notes, *_left_out(layers)))


def _left_out(layers: Iterable[Layer]) -> Iterator[str]:
    names = [layer.id for layer in layers if not layer.assets]
    if names:
        yield f"{len(names)} items lie outside of bounds and were left out, first {names[0]}"


def _on_grid(scene: Scene, grids: Mapping[str, CommonGrid]) -> Scene:
    """A scene with its files on a grid, as far as they meet it; ``grids`` are by band."""
    assets, missing = {}, dict(scene.missing)
    for name, asset in scene.assets.items():
        warped = _warped(asset, grids[name])
        if warped is None:
            missing[name] = "it lies outside of the bounds"
        else:
            assets[name] = warped
    return replace(scene, assets=assets, missing=missing)


def _warped(asset: Asset, common: CommonGrid) -> Asset | None:
    grid = common.grid(asset.grid, shown(asset.href))
    if grid is None:
        return None
    view = View(href=asset.href, warp=Warp(common, asset.nodata))
    return replace(asset, href=str(view), grid=grid)
