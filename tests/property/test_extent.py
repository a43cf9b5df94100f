"""An extent leaves out tiles and nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import shapely
import shapely.affinity
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.made.shapes import (
    CELLS,
    multiparts,
    stars,
)
from tests.oracles import covered, shares
from zonalbatch.cover.coverage import CoverageRule, cover
from zonalbatch.cover.outlines import outline
from zonalbatch.lattice import TILE, Lattice, Window


@st.composite
def spreads(draw: st.DrawFn) -> shapely.Geometry:
    """A zone over a few fold tiles."""
    return shapely.affinity.scale(draw(st.one_of(stars(), multiparts())), 70, 70, origin=(0, 0))


extents = st.tuples(
    st.integers(-1500, 1500), st.integers(-1500, 1500), st.integers(1, 1200), st.integers(1, 1200)
).map(lambda e: Window(e[0], e[1], e[0] + e[2], e[1] + e[3]))


@given(
    st.lists(spreads(), min_size=1, max_size=3),
    extents,
    st.sampled_from(("fraction", "center", "all_touched")),
)
@settings(max_examples=25)
def test_extent_leaves_out_tiles_and_nothing_else(
    zones: list[shapely.Geometry], extent: Window, rule: CoverageRule
) -> None:
    """Inside the extent cells are the same bits, totals stay, and what is left out is told."""
    whole, part = covered(zones, CELLS, rule), covered(zones, CELLS, rule, extent)
    np.testing.assert_array_equal(part.zone_total, whole.zone_total)
    kept = tiles_of(extent)
    for zone in range(len(zones)):
        wanted = [tuple(t) in kept for t in pieces(whole, zone)]
        assert bool(part.beyond[zone]) == (not all(wanted))
        inside = {k: v for k, v in shares(whole, zone).items()
                  if (k[0] // TILE, k[1] // TILE) in kept}  # fmt: skip
        assert shares(part, zone) == inside
    assert not whole.beyond.any()


def tiles_of(extent: Window) -> set[tuple[int, int]]:
    """(row, col) of the fold tiles that an extent meets."""
    return {
        (row, col)
        for row in range(extent.top // TILE, -(-extent.bottom // TILE))
        for col in range(extent.left // TILE, -(-extent.right // TILE))
    }


def pieces(coverage: Any, zone: int) -> list[tuple[int, int]]:
    """(row, col) of the fold tiles that a zone lies in."""
    own = coverage.zone == zone
    return list(zip(coverage.tile_row[own].tolist(), coverage.tile_col[own].tolist(), strict=True))


@pytest.mark.parametrize("rule", ["fraction", "center"])
def test_a_zone_in_very_many_tiles_has_the_total_of_a_walk(
    rule: CoverageRule, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The total worked out from edges is the sum over all tiles, and cells are the same."""
    rng = np.random.default_rng(8)
    angle, radius = np.linspace(0, 2 * np.pi, 300), rng.uniform(20_000, 30_000, 300)
    radius[-1] = radius[0]
    ring = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
    hole = shapely.Point(1000, 2000).buffer(7000).exterior.coords
    zone = shapely.Polygon(ring, [hole])
    lattice = Lattice("EPSG:32631", 1.0, 1.0, 0.0, 0.0)
    outlines = outline(np.array([zone], object), "EPSG:32631", "EPSG:32631", cell=(1.0, 1.0))
    extent = Window(-12_000, -300, -9_000, 900)
    far = cover(outlines, lattice, rule=rule, extent=extent)
    assert np.diff(outlines.bounds[0, [0, 2]])[0] / TILE > 64, "in more than 4,096 tiles"
    walked = cover(outlines, lattice, rule=rule)
    assert far.beyond.all()
    assert far.zone_total == pytest.approx(walked.total.sum(), rel=1e-12)
    assert 0 < far.total.sum() < walked.total.sum()
    chosen = np.isin(walked.tile_row, far.tile_row) & np.isin(walked.tile_col, far.tile_col)
    np.testing.assert_array_equal(far.total, walked.total[chosen])
