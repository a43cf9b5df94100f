"""Weights: the one band of one raster that weighs cells."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from zonalbatch.errors import SourceError
from zonalbatch.layers import Asset, Layers
from zonalbatch.sources.access import OPEN, Access
from zonalbatch.sources.array import ArrayPixels, array_layers, identified
from zonalbatch.sources.cog import cog_layers
from zonalbatch.sources.protocol import Band, ScaleOffset

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["weights_asset"]

ARRAY = "array:/weights"
"""Href of weights in memory; no layer of an array has it."""


def weights_asset(
    raster: str | os.PathLike[str] | xr.DataArray,
    band: Band | None = None,
    *,
    scale_offset: ScaleOffset = "auto",
    lasting: bool = False,
    access: Access = OPEN,
) -> tuple[Asset, Mapping[str, ArrayPixels]]:
    """The band that holds the weights, and the array that its href stands for, if it is in one.

    Args:
        raster: path or URL of a file, or an array with a CRS.
        band: which band of it, and what overrides the file; None takes the first.
        scale_offset: whose scale and offset to apply.
        lasting: True digests the values of an array, for a plan that outlives it.
        access: how the right to read the file is come by.

    Raises:
        SourceError: there is no such file or band, it cannot be used, or there are several.
        PassingReadError: the file cannot be read, but perhaps another time.
    """
    bands = {"weights": band or Band(index=1)}
    if isinstance(raster, str | os.PathLike):
        found = cog_layers(
            files=[os.fspath(raster)], bands=bands, scale_offset=scale_offset, access=access
        )
        return _only(found), {}
    found, arrays = array_layers(raster, bands=bands, scale_offset=scale_offset)
    asset = _only(identified(found, arrays) if lasting else found)
    return replace(asset, href=ARRAY), {ARRAY: arrays[asset.href]}


def _only(found: Layers) -> Asset:
    """The asset of the only layer."""
    if len(found.layers) != 1:
        ids = ", ".join(layer.id for layer in found.layers[:4])
        raise SourceError(
            f"weights are one raster for all layers, but there are {len(found.layers)} ({ids} …); "
            "give one file, or an array without time"
        )
    return found.layers[0].assets[0]
