"""Told: what `zonalbatch info` prints of a file."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from zonalbatch.sources.secrets import shown

if TYPE_CHECKING:
    from zonalbatch.cog.directories import Directory
    from zonalbatch.cog.opened import Cog

__all__ = ["document_of", "lines_of"]

LONGEST = 72
"""Letters of a value that is printed in a line."""


def document_of(cog: Cog) -> Mapping[str, Any]:
    """All that a file says of itself, in plain types."""
    profile = cog.profile
    return {
        "path": shown(cog.href),
        "driver": profile["driver"],
        "cog": is_cog(cog),
        "compression": str(profile.get("compress", "none")).upper(),
        "interleave": profile.get("interleave", "band"),
        "dtype": profile["dtype"],
        "shape": list(cog.shape),
        "bands": profile["count"],
        "descriptions": list(cog.descriptions),
        "nodata": _number(cog.nodata),
        "scales": list(map(_number, cog.scales)),
        "offsets": list(map(_number, cog.offsets)),
        "is_masked": cog.is_masked,
        "colormap": cog.colormap is not None,
        "epsg": cog.epsg,
        "crs": cog.crs.to_wkt() if cog.crs else None,
        "bounds": list(cog.bounds),
        "resolution": [cog.grid.lattice.dx, cog.grid.lattice.dy],
        "overviews": list(cog.overviews),
        "left_to_gdal": cog.left_to_gdal,
        "tags": dict(cog.tags),
        "ifds": [_directory(number, one) for number, one in enumerate(cog.ifds)],
        "requests": cog.requests,
        "bytes_read": cog.bytes_read,
    }


def is_cog(cog: Cog) -> bool | None:
    """True of a tiled TIFF with overviews, if it is larger than 512 pixels, as GDAL has it.

    None of a TIFF whose directories GDAL alone can read.
    """
    images = [one for one in cog.ifds if not one.is_mask]
    if not images:
        return None if cog.profile["driver"] == "GTiff" else False
    return images[0].tile is not None and (max(cog.shape) <= 512 or len(images) > 1)


def _directory(number: int, one: Directory) -> Mapping[str, Any]:
    return {
        "id": number,
        "kind": "mask" if one.is_mask else "overview" if one.is_overview else "image",
        "shape": [one.height, one.width],
        "tile": list(one.tile) if one.tile else None,
        "compression": one.compression,
        "tag_count": one.tag_count,
        "tags": {tag.name: {"code": tag.code, "value": _short(tag.value)} for tag in one},
    }


def _short(value: Any) -> Any:
    """A value, or how long it is."""
    if isinstance(value, list) and len(value) > 16:
        return f"{len(value)} values"
    return list(map(_number, value)) if isinstance(value, list) else _number(value)


def _number(value: Any) -> Any:
    """A value as JSON has it, which knows no NaN and no infinity."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def lines_of(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Names and values of what is printed for people, directories after the rest."""
    rows, cols = document["shape"]
    left, bottom, right, top = document["bounds"]
    yield "file", document["path"]
    yield "driver", f"{document['driver']}{' (no COG)' if document['cog'] is False else ''}"
    yield "pixels", f"{rows:,} × {cols:,}, {document['bands']} × {document['dtype']}"
    yield "compression", f"{document['compression']}, {document['interleave']} interleaved"
    yield "nodata", f"{'none' if document['nodata'] is None else document['nodata']}"
    yield "crs", f"EPSG:{document['epsg']}" if document["epsg"] else str(document["crs"])[:LONGEST]
    yield "bounds", f"{left:g} {bottom:g} {right:g} {top:g}"
    yield "cells", " × ".join(f"{size:g}" for size in document["resolution"])
    scaled = {(1.0, 0.0)} != set(zip(document["scales"], document["offsets"], strict=True))
    if scaled:
        yield "scale", f"{document['scales']}, offset {document['offsets']}"
    yield "overviews", ", ".join(map(str, document["overviews"])) or "none"
    for one in document["ifds"]:
        tile = f"tiles of {one['tile'][0]} × {one['tile'][1]}" if one["tile"] else "strips"
        size = f"{one['shape'][0]:,} × {one['shape'][1]:,}"
        what = f"{one['kind']} {size}, {tile}, {one['compression']}, {one['tag_count']} tags"
        yield f"ifd {one['id']}", what
    if document["cog"] is None:
        yield "ifds", f"not shown, as {document['left_to_gdal']}"
    yield "read", f"{document['bytes_read']:,} bytes in {document['requests']} requests"
