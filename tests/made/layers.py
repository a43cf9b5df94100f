"""Layers known by their metadata alone: no file of theirs exists, and none need be asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from tests.made.places import CELL, CRS, LEFT, TOP
from zonalbatch.lattice import Grid, Lattice
from zonalbatch.layers import Asset, Layer, Layers, Scene

CELLS = Lattice.through(CRS, LEFT, TOP, CELL, CELL)
"""The lattice of the usual corner and cell."""


def month(number: int) -> datetime:
    """A time in a month of 2024."""
    return datetime(2024, number, 5, tzinfo=UTC)


JANUARY = month(1)


def grid(
    row: int = 0, col: int = 0, height: int = 100, width: int = 100, cell: float = CELL
) -> Grid:
    """Where a raster lies whose first cell is (row, col) from LEFT, TOP; cells."""
    left, top = LEFT + col * cell, TOP - row * cell
    lattice = Lattice.through(CRS, left, top, cell, cell)
    window = lattice.window(left, top, height, width)
    assert window is not None
    return Grid(lattice, window)


def first_asset(found: Layers, band: str) -> Asset:
    """A band of the first scene of all."""
    return found.layers[0].scenes[0].assets[band]


def with_scene(layer: Layer, **changes: Any) -> Layer:
    """A layer whose scenes are changed."""
    return layer.each(lambda scene: replace(scene, **changes))


def layer(name: str, when: datetime | None = JANUARY, **bands: Grid) -> Layer:
    """A layer with a band for each grid; red by default."""
    assets = {
        band: Asset(
            href=f"/nowhere/{name}_{band}.tif", band=1, grid=place, dtype="uint16", nodata="none",
            scale=1.0, offset=0.0,
        )
        for band, place in (bands or {"red": grid()}).items()
    }  # fmt: skip
    return Layer(id=name, datetime=when, scenes=(Scene(items=(name,), assets=assets),))
