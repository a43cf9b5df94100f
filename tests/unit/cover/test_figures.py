"""Areas, lines and points in one frame, and what zonal_stats tells of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import shapely
from numpy.typing import NDArray

import zonalbatch as zb
from tests.made.places import CELL, LEFT, TOP
from tests.made.rasters import noise, write_tif
from tests.made.zones import frame
from tests.oracles import covered, quantile, shares
from zonalbatch.cover.coverage import Coverage, CoverageRule
from zonalbatch.cover.figures import cover_figures
from zonalbatch.lattice import TILE, Lattice, Window

CELLS = Lattice("EPSG:32631", 1.0, 1.0, 0.0, 0.0)
AREA = shapely.box(2.5, -7.25, 520, -3)
LINE = shapely.LineString([(0.5, -0.5), (530.2, -600.7)])
POINT = shapely.Point(3.0, -2.0)
POINTS = shapely.MultiPoint([(3.2, -2.1), (3.9, -2.9), (600, -600), (4.0, -2.5)])
MIXED = [LINE, AREA, None, POINT, POINTS, shapely.Polygon(), AREA]


def figured(
    shapes: list[Any], rule: CoverageRule = "fraction", extent: Window | None = None
) -> Coverage:
    """The coverage of shapes of any kind."""
    return cover_figures(np.array(shapes, object), CELLS.crs, CELLS, rule=rule, extent=extent)


@pytest.mark.parametrize("rule", ["fraction", "center", "all_touched", "bilinear"])
@pytest.mark.parametrize("extent", [None, Window(0, 0, TILE, 10)])
def test_each_zone_is_covered_by_itself(rule: CoverageRule, extent: Window | None) -> None:
    """In a mixed frame each zone has the cells, to the bit, that it has alone."""
    found = figured(MIXED, rule, extent)
    assert found.n_zones == len(MIXED)
    order = np.lexsort((found.zone, found.tile_col, found.tile_row))
    assert (order == np.arange(found.n_pieces)).all()
    for i, shape in enumerate(MIXED):
        alone = figured([shape], rule, extent)
        assert shares(found, i) == shares(alone, 0)
        assert found.zone_total[i] == alone.zone_total[0]
        assert found.beyond[i] == alone.beyond[0]


def test_areas_alone() -> None:
    """Areas are covered as ever."""
    found, ever = figured([AREA, None]), covered([AREA, None], CELLS)
    for name in ("zone", "run_at", "run_length", "cell_at", "cell_fraction", "zone_total"):
        assert getattr(found, name).tobytes() == getattr(ever, name).tobytes()


def test_wkb_and_arrow() -> None:
    """Shapes may be WKB or Arrow, as workers have them."""
    raw = shapely.to_wkb(np.array(MIXED, object))
    expected = figured(MIXED)
    for wkb in (raw, pa.array(raw, pa.binary()), pa.chunked_array([raw[:3], raw[3:]])):
        found = cover_figures(wkb, CELLS.crs, CELLS)
        assert found.zone_total.tobytes() == expected.zone_total.tobytes()


@pytest.mark.parametrize(
    ("rule", "point", "points"),
    [
        ("fraction", {(2, 3): 1}, {(2, 3): 2, (2, 4): 1, (600, 600): 1}),
        ("center", {(2, 3): 1}, {(2, 3): 2, (2, 4): 1, (600, 600): 1}),
        ("all_touched", {(2, 3): 1}, {(2, 3): 1, (2, 4): 1, (600, 600): 1}),
    ],
)
def test_points_take_their_cell(
    rule: CoverageRule, point: dict[Any, float], points: dict[Any, float]
) -> None:
    """A point on an edge belongs to the cell on its right and below; points in a cell add up."""
    found = figured([POINT, POINTS], rule)
    assert shares(found, 0) == point
    assert shares(found, 1) == points


def test_bilinear_weights() -> None:
    """The four cells around a point weigh by how near their centres are; in a centre, one does."""
    found = figured([shapely.Point(3.75, -2.6), shapely.Point(3.5, -2.5)], "bilinear")
    weights = {(2, 3): 0.9 * 0.75, (2, 4): 0.9 * 0.25, (3, 3): 0.1 * 0.75, (3, 4): 0.1 * 0.25}
    assert shares(found, 0) == pytest.approx(weights)
    assert shares(found, 1) == {(2, 3): 1}


def test_points_are_projected() -> None:
    """Points are brought to the lattice's CRS; beyond its horizon there is none."""
    globe = "+proj=ortho +lat_0=0 +lon_0=0 +ellps=WGS84 +type=crs"
    lattice = Lattice(globe, 10_000.0, 10_000.0, 0.0, 0.0)
    shapes = np.array([shapely.Point(0, 0), shapely.Point(1, -1), shapely.Point(179, 1)], object)
    found = cover_figures(shapes, "OGC:CRS84", lattice)
    assert found.zone_total.tolist() == [1, 1, 0]
    assert shares(found, 1) == {(11, 11): 1}


def test_points_turn_with_the_grid() -> None:
    """On a grid of 0 to 360 degrees a point in the west lies at its right end."""
    lattice = Lattice.through("EPSG:4326", 0.0, 90.0, 1.0, 1.0)
    shapes = np.array([shapely.Point(-0.5, 10.5), shapely.Point(180, 10.5)], object)
    found = cover_figures(shapes, "EPSG:4326", lattice, west=0.0)
    assert shares(found, 0) == {(-11, 359): 1}
    assert [col for _, col in shares(found, 1)] == [180]
    split = cover_figures(shapes, "EPSG:4326", lattice)
    assert [col for _, col in shares(split, 1)] == [-180]


# --- zonal_stats ------------------------------------------------------------------------------


@pytest.fixture
def values() -> NDArray[np.uint16]:
    """(40, 50) values, some of them nodata (0)."""
    made = noise(40, 50)
    made[::3, ::4] = 0
    return made


@pytest.fixture
def tif(values: NDArray[np.uint16], tmp_path: Path) -> str:
    """The values as a file."""
    return write_tif(tmp_path / "scene.tif", values, nodata=0)


def at(col: float, row: float) -> tuple[float, float]:
    """Coordinates of a column and a row of the file."""
    return LEFT + CELL * col, TOP - CELL * row


def test_statistics_of_a_mixed_frame(values: NDArray[np.uint16], tif: str) -> None:
    """A line's statistics weigh by metres, points' by number; an area beside them is as ever."""
    line = shapely.LineString([at(3.2, 4.1), at(33.3, 17.9), at(70.0, 20.5)])
    points = shapely.MultiPoint([at(5, 5), at(5.5, 5.5), at(7.2, 9.9), at(-3, 0)])
    area = shapely.box(*at(10, 20), *at(12, 18))
    zones = frame(line, area, points, shapely.Point(at(1.5, 1.5)), crs="EPSG:32631")
    stats = "count,mean,min,max,std,median,n_total,n_nodata,n_outside,valid_fraction"
    found = zb.zonal_stats(zones, tif, stats)
    lattice = Lattice.through("EPSG:32631", *at(0, 0), CELL, CELL)
    offset = lattice.window(*at(0, 0), 40, 50)
    assert offset is not None
    for i, shape in enumerate(zones.geometry):
        cells = shares(cover_figures(np.array([shape], object), lattice.crs, lattice), 0)
        inside = {(r - offset.top, c - offset.left): w for (r, c), w in cells.items()}
        there = {(r, c): w for (r, c), w in inside.items() if r < 40 and 0 <= c < 50}
        good = {cell: w for cell, w in there.items() if values[cell]}
        v = np.array([values[cell] for cell in good], float)
        w = np.array(list(good.values()))
        row = found.iloc[i]
        assert row["n_total"] == pytest.approx(sum(inside.values()), rel=1e-12)
        assert row["n_outside"] == pytest.approx(sum(inside.values()) - sum(there.values()))
        assert row["n_nodata"] == pytest.approx(sum(there.values()) - w.sum())
        assert row["count"] == pytest.approx(w.sum(), rel=1e-12)
        assert row["mean"] == pytest.approx((v * w).sum() / w.sum(), rel=1e-12)
        assert row["median"] == pytest.approx(quantile(v, w, 0.5), rel=1e-9)
        assert (row["min"], row["max"]) == (v.min(), v.max())
    assert found["n_total"].iloc[0] == pytest.approx(line.length, rel=1e-9)
    assert found["n_total"].tolist()[1:] == [4, 4, 1]


def test_rasterstats_lines(data_dir: Path) -> None:
    """All cells that rasterstats 0.21 touches with its own lines, and no other but corners."""
    import geopandas
    from rasterstats import zonal_stats

    folder = data_dir / "zonal_tools" / "rasterstats"
    lines = geopandas.read_file(folder / "lines.shp")
    raster = str(folder / "slope.tif")
    theirs = zonal_stats(lines, raster, stats="count min max mean", all_touched=True)
    wanted = lines.set_crs("EPSG:32612", allow_override=True)
    array = _with_crs(raster)
    ours = zb.zonal_stats(wanted, array, "count,min,max,mean", coverage="all_touched")
    for row, other in zip(ours.to_dict("records"), theirs, strict=True):
        assert row["count"] == pytest.approx(other["count"], abs=2)
        assert row["mean"] == pytest.approx(other["mean"], rel=0.02)


def _with_crs(path: str) -> Any:
    """A raster under the CRS that its lines are said to be in."""
    import rioxarray

    array: Any = rioxarray.open_rasterio(path, masked=False)
    return array.rio.write_crs("EPSG:32612")
