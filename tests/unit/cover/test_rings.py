"""Rings are oriented one by one, however many are worked on at once."""

from __future__ import annotations

import numpy as np
import shapely

from zonalbatch.cover.rings import BLOCK, oriented, ragged


def test_every_ring_is_oriented_also_beyond_a_block() -> None:
    """Zones wound either way come out counter-clockwise, small ones and one of several blocks."""
    rng = np.random.default_rng(0)
    centres = np.asarray(shapely.points(rng.uniform(0, 1e6, (BLOCK // 8, 2))))
    shapes = np.asarray(shapely.buffer(centres, rng.uniform(1, 50, BLOCK // 8), quad_segs=3))
    turn = np.linspace(0, 2 * np.pi, 2 * BLOCK)
    shapes[7] = shapely.Polygon(np.column_stack([np.cos(turn), np.sin(turn)]))
    shapes[::3] = shapely.reverse(shapes[::3])
    rings = oriented(ragged(shapes))
    wanted = shapely.get_coordinates(shapely.orient_polygons(shapes))
    assert len(rings.xy) > 3 * BLOCK
    assert (rings.xy == wanted).all()
