"""Coverage lies in the order of tiles, and the order in which zones are given changes no bit."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from numpy.typing import NDArray

from zonalbatch.cover.coverage import Coverage, CoverageRule, cover
from zonalbatch.cover.outlines import outline
from zonalbatch.lattice import TILE, Lattice

CRS = "EPSG:32631"
LATTICE = Lattice.through(CRS, 0.0, 0.0, 1.0, 1.0)


def _zones(count: int = 300, reach: float = 4.0 * TILE) -> NDArray[np.object_]:
    rng = np.random.default_rng(0)
    centres = shapely.points(rng.uniform(0, reach, (count, 2)))
    return np.asarray(shapely.buffer(centres, rng.uniform(0.2, 30, count)))


def _covered(shapes: NDArray[np.object_], rule: CoverageRule = "fraction") -> Coverage:
    return cover(outline(shapes, CRS, CRS, cell=(1.0, 1.0)), LATTICE, rule=rule)


def _pieces(coverage: Coverage, zone: int) -> list[tuple[bytes, ...]]:
    """All that is known of a zone, piece by piece."""
    found = []
    for piece in np.flatnonzero(coverage.zone == zone):
        runs, cells = slice(*coverage.run_span[piece]), slice(*coverage.cell_span[piece])
        arrays = (
            coverage.tile_row[piece], coverage.tile_col[piece], coverage.window[piece],
            coverage.inner[piece], coverage.total[piece], coverage.zone_total[zone],
            coverage.run_at[runs], coverage.run_length[runs],
            coverage.cell_at[cells], coverage.cell_fraction[cells],
        )  # fmt: skip
        found.append(tuple(array.tobytes() for array in arrays))
    return found


@pytest.mark.parametrize("rule", ["fraction", "center", "all_touched"])
def test_the_order_of_zones_changes_no_bit(rule: CoverageRule) -> None:
    """A zone is covered as it is, whichever zones come before it."""
    shapes = _zones()
    order = np.random.default_rng(1).permutation(len(shapes))
    one, other = _covered(shapes, rule), _covered(shapes[order], rule)
    for place, zone in enumerate(order):
        assert _pieces(other, place) == _pieces(one, int(zone))


def test_what_zones_of_one_tile_cover_lies_together() -> None:
    """Of zones that leave no tile, cells lie in memory in the order in which tiles are visited."""
    shapes = _zones()
    bounds = shapely.bounds(shapes) // TILE
    inside = shapes[(bounds[:, :2] == bounds[:, 2:]).all(axis=1)]
    coverage = _covered(inside)
    assert len(inside) > 200
    assert (np.diff(coverage.cell_span[:, 0]) >= 0).all()
    assert (np.diff(coverage.run_span[:, 0]) >= 0).all()
