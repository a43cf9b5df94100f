"""Answer: which grid a zone is answered from where scenes lie on several."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import numpy as np
import pytest
import shapely
from pyproj import Transformer

from tests.oracles import Raster, bits, lattice_at, measured, raster
from zonalbatch.layers import Asset, Layer, Scene
from zonalbatch.work.layer_work import LayerSummary

DEGREES = "EPSG:4326"
LAT = 50.0
SIDE = 800
"""Cells along a side of a raster, of 10 m."""
STATISTICS = ("count", "mean", "min", "max", "std", "n_total", "n_outside", "unique")


def around(lon: float, crs: str, seed: int) -> Raster:
    """A raster of 8 km around (lon, LAT)."""
    x, y = Transformer.from_crs(DEGREES, crs, always_xy=True).transform(lon, LAT)
    left, top = round(x, -1) - SIDE * 5, round(y, -1) + SIDE * 5
    lattice = lattice_at(left, top, 10.0, crs)
    values = np.random.default_rng(seed).integers(1, 5000, (SIDE, SIDE)).astype(np.uint16)
    window = lattice.window(left, top, SIDE, SIDE)
    assert window is not None
    return raster(values, lattice, window.top, window.left, nodata=0)


WEST, EAST = around(6.0, "EPSG:32631", 1), around(6.0, "EPSG:32632", 2)
"""Two rasters of one place on the grids of two UTM zones."""
RASTERS = {"T31": WEST, "T32": EAST}


def field(lon: float, side: float = 0.004) -> shapely.Geometry:
    """A field of about 300 m."""
    return shapely.box(lon, LAT, lon + side, LAT + side / 2)


def scene(name: str, west: float, east: float, of: str = "") -> Scene:
    """One of the rasters with a footprint between two longitudes."""
    footprint = shapely.to_wkb(shapely.box(west, 49, east, 51))
    asset = Asset(href=of or name, band=1, grid=RASTERS[of or name].grid)
    return Scene(items=(name,), assets={"value": asset}, footprint=footprint)


def answers(zones: Sequence[Any], *scenes: Scene) -> LayerSummary:
    """What one layer of some scenes says."""
    layer = Layer(id="day", datetime=None, scenes=scenes)
    (found,) = measured(zones, RASTERS, [layer], statistics=STATISTICS, crs=DEGREES)
    return found


def means(found: LayerSummary) -> list[float]:
    """The mean of each zone."""
    column = found.columns["value", "mean"]
    assert isinstance(column, np.ndarray)
    return [float(one) for one in column]


FIELDS = [field(5.97), field(5.985), field(5.997), field(6.003), field(6.02)]


def test_the_grid_whose_footprint_holds_most_of_a_zone_answers() -> None:
    """To the last bit as that grid alone says it."""
    west, east = scene("T31", 5.0, 5.999), scene("T32", 5.999, 7.0)
    found = means(answers(FIELDS, west, east))
    in_west, in_east = means(answers(FIELDS, west)), means(answers(FIELDS, east))
    # Of the third field, from 5.997 to 6.001, each holds a half: the least id answers.
    assert found == [*in_west[:3], *in_east[3:]]
    assert set(in_west).isdisjoint(in_east)


@pytest.mark.parametrize("border", [5.9985, 5.9995])
def test_more_than_half_is_enough(border: float) -> None:
    """The third field goes to the footprint that holds more of it."""
    west, east = scene("T31", 5.0, border), scene("T32", border, 7.0)
    alone = answers(FIELDS, west if border > 5.999 else east)
    assert means(answers(FIELDS, west, east))[2] == means(alone)[2]


def test_the_order_of_scenes_does_not_matter() -> None:
    """Footprints that overlap: every field lies whole in both, and the least id answers."""
    scenes = [
        scene("b", 5.0, 6.5, "T31"),
        scene("a", 5.5, 7.0, "T32"),
        scene("c", 5.0, 7.0, "T31"),
    ]
    every = [bits(answers(FIELDS, *some)) for some in permutations(scenes)]
    assert all(one == every[0] for one in every)
    assert means(answers(FIELDS, *scenes)) == means(answers(FIELDS, scenes[1]))


def test_scenes_out_of_reach_change_nothing() -> None:
    """An id of a scene far away, less than all others, is no reason to prefer its grid."""
    west, east = scene("b", 5.0, 7.0, "T31"), scene("c", 5.0, 7.0, "T32")
    x, y = 500_000.0, 4_000_000.0
    far = around(9.0, "EPSG:32632", 3)
    lattice = EAST.grid.lattice
    window = lattice.window(
        lattice.x0 + lattice.dx * round(x / 10), lattice.y0 + lattice.dy * round(y / 10), SIDE, SIDE
    )
    assert window is not None
    rasters = {**RASTERS, "far": raster(far.values, lattice, window.top, window.left)}
    asset = Asset(href="far", band=1, grid=rasters["far"].grid)
    footprint = shapely.to_wkb(shapely.box(8, 35, 10, 37))
    a = Scene(items=("a",), assets={"value": asset}, footprint=footprint)
    layer = Layer(id="day", datetime=None, scenes=(a, west, east))
    (found,) = measured(FIELDS, rasters, [layer], statistics=STATISTICS, crs=DEGREES)
    assert means(found) == means(answers(FIELDS, west, east)) == means(answers(FIELDS, west))


def test_a_grid_without_a_cell_of_the_zone_does_not_answer() -> None:
    """A footprint may promise more than its file holds; a zone beyond all files has no answer."""
    aside = around(6.3, "EPSG:32632", 3)
    asset = Asset(href="aside", band=1, grid=aside.grid)
    footprint = shapely.to_wkb(shapely.box(5, 49, 7, 51))
    liar = Scene(items=("a",), assets={"value": asset}, footprint=footprint)
    west = scene("T31", 5.0, 5.999)
    layer = Layer(id="day", datetime=None, scenes=(liar, west))
    zones = [*FIELDS, field(6.15)]
    (found,) = measured(
        zones, {**RASTERS, "aside": aside}, [layer], statistics=STATISTICS, crs=DEGREES
    )
    assert means(found)[:5] == means(answers(FIELDS, west))
    assert list(found.met) == [True] * 5 + [False]


def test_lines_and_points_are_shared_out_too() -> None:
    """A line by its length, points by their number; each is answered once."""
    line = shapely.LineString([(5.99, LAT), (6.0, LAT)])
    points = shapely.MultiPoint([(5.99, LAT), (5.991, LAT), (6.0, LAT)])
    west, east = scene("T32", 5.0, 5.993), scene("T31", 5.993, 7.0)
    found = means(answers([line, points], west, east))
    assert found[0] == means(answers([line], east))[0]
    assert found[1] == means(answers([points], west))[0]


def test_lists_are_picked_as_numbers_are() -> None:
    """Columns of lists come from the grid that answers."""
    west, east = scene("T31", 5.0, 5.999), scene("T32", 5.999, 7.0)
    found = answers(FIELDS, west, east).columns["value", "unique"].tolist()
    assert found[0] == answers(FIELDS, west).columns["value", "unique"].tolist()[0]
    assert found[-1] == answers(FIELDS, east).columns["value", "unique"].tolist()[-1]
