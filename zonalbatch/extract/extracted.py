"""Extracted: what was written, and what it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zonalbatch.catalog.document import License

__all__ = ["Extracted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Extracted:
    """A GeoTIFF of a box of a data set."""

    path: Path
    """The file."""
    crs: str
    """``EPSG:n`` where it has a code, else WKT2."""
    shape: tuple[int, int]
    """Rows and columns."""
    transform: tuple[float, float, float, float, float, float]
    """From column and row to place: (a, b, c, d, e, f), as affine has it."""
    nodata: float | int | None
    """Raw value of cells without data."""
    license: License
    """On what terms it may be used."""
    provenance: Mapping[str, Any]
    """What it was made of: provider, items, box, resampling, version."""
    dataset: str
    """``provider:variable``."""
