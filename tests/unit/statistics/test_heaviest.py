"""The value of the heaviest cell, behind the value at a point."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from tests.oracles import covered, lattice_at, measured, raster, shares
from zonalbatch.lattice import TILE


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("memory", [2**12, 2**28])
def test_value_by_brute_force(seed: int, memory: int) -> None:
    """The mean where all cells are valid, else the heaviest cell's value, the first of equals."""
    rng = np.random.default_rng(seed)
    lattice = lattice_at(0.0, 0.0, 1.0)
    row, col = TILE - 20, 3 * TILE - 30
    values = rng.integers(0, 9, (60, 70)).astype("int16" if seed % 2 else "float32")
    corners = rng.uniform((col + 1, row + 1), (col + 60, row + 50), (80, 2)).round(seed)
    sides = rng.choice([1.0, 2.0, 0.4, 7.3], (80, 2))
    zones = list(
        shapely.box(corners[:, 0], -corners[:, 1] - sides[:, 1], corners[:, 0] + sides[:, 0],
                    -corners[:, 1])
    )  # fmt: skip
    band = raster(values, lattice, row, col, nodata=3, scale=0.5, offset=7.0, block=(16, 16))
    (layer,) = measured(zones, {"one": band}, statistics=("value",), memory=memory)
    found = layer.columns["value", "value"]
    coverage = covered(zones, lattice)
    for i in range(len(zones)):
        cells = shares(coverage, i)
        raw = {cell: float(values[cell[0] - row, cell[1] - col]) for cell in cells}
        first = min(cells, key=lambda cell: (-cells[cell], cell))
        if all(value != 3 for value in raw.values()):
            expected = sum(raw[c] * w for c, w in cells.items()) / sum(cells.values())
        else:
            expected = raw[first] if raw[first] != 3 else np.nan
        assert found[i] == pytest.approx(expected * 0.5 + 7, rel=1e-12, nan_ok=True)


def test_beyond_the_raster_it_is_not_known() -> None:
    """A zone that reaches into tiles that no file lies in has no value."""
    lattice = lattice_at(0.0, 0.0, 1.0)
    band = raster(np.ones((4, 4), "uint8"), lattice, 0, TILE - 4)
    zones = [shapely.box(TILE - 3, -2, TILE + 0.5, -1), shapely.box(TILE - 3, -2, TILE, -1)]
    (layer,) = measured(zones, {"one": band}, statistics=("value",))
    np.testing.assert_array_equal(layer.columns["value", "value"], [np.nan, 1.0])
