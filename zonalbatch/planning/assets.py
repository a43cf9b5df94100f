"""Assets in plain types, as plans store them, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from zonalbatch.lattice import Grid, Lattice, Window
from zonalbatch.layers import Asset

__all__ = ["asset_document", "asset_from"]


def asset_document(asset: Asset) -> dict[str, Any]:
    """An asset as a row of ``layers.parquet`` has it."""
    lattice = asset.grid.lattice
    return {
        "href": asset.href, "file_band": asset.band, "crs": lattice.crs,
        "dx": lattice.dx, "dy": lattice.dy, "x0": lattice.x0, "y0": lattice.y0,
        "window": list(asset.grid.window), "south_up": asset.grid.south_up,
        "dtype": asset.dtype, "nodata": json.dumps(asset.nodata),
        "scale": asset.scale, "offset": asset.offset, "version": asset.version,
    }  # fmt: skip


def asset_from(document: Mapping[str, Any]) -> Asset:
    """The asset that `asset_document` wrote."""
    lattice = Lattice(*(document[name] for name in ("crs", "dx", "dy", "x0", "y0")))
    return Asset(
        href=document["href"], band=document["file_band"],
        grid=Grid(lattice, Window(*document["window"]), document["south_up"]),
        dtype=document["dtype"], nodata=json.loads(document["nodata"]), scale=document["scale"],
        offset=document["offset"], version=document["version"],
        scaled_by=document.get("scaled_by") or "file",
    )  # fmt: skip
