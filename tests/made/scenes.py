"""STAC items, and files of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.made.places import CELL, CRS, LEFT, TOP


def item(
    name: str, *, date: str = "2024-05-01", crs: str = CRS, **assets: dict[str, Any]
) -> dict[str, Any]:
    """A STAC item of midnight UTC of a date."""
    return {
        "type": "Feature", "stac_version": "1.1.0", "stac_extensions": [], "id": name, "links": [],
        "geometry": None, "bbox": None,
        "properties": {"datetime": f"{date}T00:00:00Z", "proj:code": crs},
        "assets": assets,
    }  # fmt: skip


def asset(
    href: str,
    shape: tuple[int, int],
    *,
    left: float = LEFT,
    top: float = TOP,
    cell: float = CELL,
    **fields: Any,
) -> dict[str, Any]:
    """An item's asset that says its (rows, cols) and where they lie, metres."""
    transform = [cell, 0.0, left, 0.0, -cell, top]
    return {"href": href, "proj:shape": list(shape), "proj:transform": transform} | fields


def collection(items: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Items as one document."""
    return {"type": "FeatureCollection", "features": list(items)}


def write_items(path: Path, items: Sequence[dict[str, Any]]) -> str:
    """Write items as a file; its path."""
    path.write_text(json.dumps(collection(items)))
    return str(path)
