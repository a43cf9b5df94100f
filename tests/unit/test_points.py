"""zb.point_query: values at points and around them, beside rasterstats and numpy."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import pytest
import rasterio
import rasterstats
import shapely
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import zonalbatch as zb
from tests.made.places import CELL, CRS, LEFT, TOP
from tests.made.rasters import noise, write_tif
from zonalbatch.errors import InputError, ZonesError

HEIGHT, WIDTH = 40, 50


@pytest.fixture(scope="module")
def values() -> NDArray[np.uint16]:
    """(40, 50) values, a third of them nodata (0)."""
    made = noise(HEIGHT, WIDTH)
    made[np.random.default_rng(1).random(made.shape) < 0.3] = 0
    return made


@pytest.fixture(scope="module")
def tif(values: NDArray[np.uint16], tmp_path_factory: pytest.TempPathFactory) -> str:
    """The values as a file."""
    return write_tif(tmp_path_factory.mktemp("points") / "scene.tif", values, nodata=0)


def at(*places: tuple[float, float], **columns: Any) -> geopandas.GeoDataFrame:
    """Points at columns and rows of the file."""
    xy = np.array(places, float).reshape(-1, 2)
    shapes = shapely.points(LEFT + CELL * xy[:, 0], TOP - CELL * xy[:, 1])
    return geopandas.GeoDataFrame(columns, geometry=shapes, crs=CRS)


def theirs(points: geopandas.GeoDataFrame, path: str, way: str) -> NDArray[np.float64]:
    """What rasterstats says of points; NaN for none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterstats.io.NodataWarning)
        found = rasterstats.point_query(list(points.geometry), path, interpolate=way)
    return np.array(found, float)


# --- values -----------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["nearest", "bilinear"])
def test_random_points_equal_rasterstats(tif: str, way: Any) -> None:
    """Inside, beside nodata, about the raster's border and outside of it."""
    rng = np.random.default_rng(2)
    points = at(*rng.uniform((-2, -2), (WIDTH + 2, HEIGHT + 2), (2000, 2)))
    found = zb.point_query(points, tif, interpolate=way)["value"]
    expected = theirs(points, tif, way)
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert 0.25 < np.isnan(expected).mean() < 0.75


@given(
    places=st.lists(
        st.tuples(st.integers(-4, 2 * WIDTH + 4), st.integers(-4, 2 * HEIGHT + 4)), min_size=1
    ),
    way=st.sampled_from(("nearest", "bilinear")),
)
@pytest.mark.filterwarnings("ignore::zonalbatch.errors.ZonalbatchWarning")
def test_edges_and_centres_equal_rasterstats(tif: str, places: Any, way: Any) -> None:
    """Points on edges, corners and centres of cells, where ways to round show.

    Half-way between a centre and an edge rasterstats also asks for a neighbour of weight 0.
    """
    points = at(*[(col / 2, row / 2) for col, row in places if col % 2 == row % 2] or [(0, 0)])
    found = zb.point_query(points, tif, interpolate=way)["value"]
    np.testing.assert_allclose(found, theirs(points, tif, way), rtol=1e-12)


@pytest.mark.parametrize("name", ["slope.tif", "slope_nodata.tif", "all_nodata.tif"])
@pytest.mark.parametrize("way", ["nearest", "bilinear"])
def test_the_data_of_rasterstats(data_dir: Path, name: str, way: Any) -> None:
    """Its own points, and a thousand more, over its own rasters."""
    path = str(data_dir / "zonal_tools" / "rasterstats" / name)
    with rasterio.open(path) as file:
        left, bottom, right, top = file.bounds
        crs = file.crs
    own = geopandas.read_file(data_dir / "zonal_tools" / "rasterstats" / "points.shp").geometry
    rng = np.random.default_rng(3)
    xy = rng.uniform((left - 50, bottom - 50), (right + 50, top + 50), (997, 2))
    told = [(245309, 1000064), (245309, 1000308), (244000, 1000308), (245905, 1000361)]
    shapes = np.concatenate([own, shapely.points(xy), shapely.points(np.array(told))])
    points = geopandas.GeoDataFrame(geometry=shapes, crs=crs)
    found = zb.point_query(points, path, interpolate=way)["value"]
    np.testing.assert_allclose(found, theirs(points, path, way), rtol=1e-6)


def test_an_edge_belongs_to_the_right_and_below(values: NDArray[np.uint16], tif: str) -> None:
    """On the corner of four cells the lower right one is taken; the far borders are outside."""
    values = values.astype(float)
    values[values == 0] = np.nan
    points = at((3, 4), (3, 4.5), (3.5, 4), (0, 0), (WIDTH, 1), (1, HEIGHT))
    found = zb.point_query(points, tif)["value"].to_numpy()
    expected = [values[4, 3], values[4, 3], values[4, 3], values[0, 0], np.nan, np.nan]
    np.testing.assert_array_equal(found, expected)


def test_bilinear_beside_a_fold_tile(tmp_path: Path) -> None:
    """The four cells may lie in four fold tiles; the upper left of equal ones is the nearest."""
    cells = np.arange(1.0, 17.0).reshape(4, 4)
    cells[2, 2] = np.nan
    left, top = 512 * 10 * 100 - 20.0, 512 * 10 * 1000 + 20.0
    path = write_tif(tmp_path / "corner.tif", cells, left=left, top=top, nodata=np.nan)
    xy = np.array([(20, 20), (19, 19), (21, 21), (12, 12), (29, 9)], float)
    shapes = shapely.points(left + xy[:, 0], top - xy[:, 1])
    points = geopandas.GeoDataFrame(geometry=shapes, crs=CRS)
    found = zb.point_query(points, path, interpolate="bilinear")["value"].to_numpy()
    np.testing.assert_allclose(found, theirs(points, path, "bilinear"), rtol=1e-9)
    assert found[0] == 6
    assert found[1] == 6
    assert np.isnan(found[2])


def test_just_outside_there_is_none(tmp_path: Path) -> None:
    """A point beyond the last cell is nearest to nothing, also where a fold tile ends there."""
    left = 512 * 10 * 100 - 20.0
    path = write_tif(tmp_path / "edge.tif", np.ones((2, 2)), left=left, top=5_600_020.0)
    points = geopandas.GeoDataFrame(
        geometry=shapely.points([left + 19, left + 20, left + 22], 5_600_009.0), crs=CRS
    )
    for way in ("nearest", "bilinear"):
        found = zb.point_query(points, path, interpolate=way)["value"]  # type: ignore[arg-type]
        # On the border, rasterstats falls back to the left one of two equal cells.
        assert found.tolist()[0] == 1
        assert found.isna().tolist() == [False, way == "nearest", True]


def test_scale_and_offset(tmp_path: Path) -> None:
    """Values are physical."""
    path = write_tif(tmp_path / "scaled.tif", noise(4, 4), scale=0.1, offset=-5)
    raw = noise(4, 4)
    found = zb.point_query(at((1.5, 1.5), (2, 2)), path, interpolate="bilinear")["value"]
    assert found.tolist() == pytest.approx([raw[1, 1] * 0.1 - 5, raw[1:3, 1:3].mean() * 0.1 - 5])


# --- frames -----------------------------------------------------------------------------------


def test_columns_and_index_are_kept(tif: str) -> None:
    """The points' columns come first, then the value, then the geometry; the index stays."""
    points = at((3, 3), (4, 4), plot=["a", "b"]).rename_geometry("where")
    points.index = pd.Index([7, 7], name="visit")
    found = zb.point_query(points, tif)
    assert list(found.columns) == ["plot", "value", "where"]
    pd.testing.assert_index_equal(found.index, points.index)
    assert found.geometry.geom_equals(points.geometry).all()
    assert found.crs == points.crs
    named = zb.point_query(points, tif, id="plot")
    assert named.index.tolist() == ["a", "b"]
    assert list(named.columns) == ["value", "where"]


def test_points_of_a_file_and_of_dask(tif: str, tmp_path: Path) -> None:
    """A path and a dask_geopandas frame give what the frame gives."""
    import dask_geopandas

    points = at((3, 3), (4.2, 4), (9.9, 30), plot=["a", "b", "c"])
    points.to_file(tmp_path / "points.gpkg")
    whole = zb.point_query(points, tif)
    read = zb.point_query(tmp_path / "points.gpkg", tif)
    lazy = zb.point_query(dask_geopandas.from_geopandas(points, npartitions=2), tif)
    for other in (read, lazy):
        np.testing.assert_array_equal(other["value"], whole["value"])
        assert other["plot"].tolist() == ["a", "b", "c"]
    named = zb.point_query(tmp_path / "points.gpkg", tif, id="plot")
    assert named.index.tolist() == ["a", "b", "c"]


def test_several_rasters_and_bands(tif: str, tmp_path: Path) -> None:
    """A row for each point and raster; a column for each band."""
    cube = np.stack([noise(HEIGHT, WIDTH, seed=5), noise(HEIGHT, WIDTH, seed=6)])
    first, second = (
        write_tif(tmp_path / f"{name}.tif", cube + step) for name, step in (("a", 0), ("b", 1))
    )
    points = at((3.1, 3.2), (4.6, 8.7), plot=["x", "y"])
    found = zb.point_query(points, [first, second])
    assert list(found.columns) == ["plot", "layer", "band_1_value", "band_2_value", "geometry"]
    assert found["plot"].tolist() == ["x", "x", "y", "y"]
    assert found["layer"].tolist() == ["a", "b", "a", "b"]
    expected = [[cube[b, r, c] + s for b in (0, 1)] for r, c in ((3, 3), (8, 4)) for s in (0, 1)]
    np.testing.assert_array_equal(found[["band_1_value", "band_2_value"]], expected)
    one = zb.point_query(points, [first, second], bands=2, interpolate="bilinear")
    assert list(one.columns) == ["plot", "layer", "value", "geometry"]
    assert one.crs == points.crs


@pytest.mark.parametrize("way", ["nearest", "bilinear"])
def test_multipoints_give_the_mean(tif: str, tmp_path: Path, way: Any) -> None:
    """The value of a multipoint is the mean of those of its points that have one."""
    again = shutil.copy(tif, tmp_path / "again.tif")
    rng = np.random.default_rng(8)
    parts = at(*rng.uniform((0, 0), (WIDTH, HEIGHT), (30, 2)))
    single = zb.point_query(parts, tif, interpolate=way)["value"].to_numpy().reshape(10, 3)
    threes = np.asarray(parts.geometry, dtype=object).reshape(10, 3)
    shapes: list[Any] = [shapely.MultiPoint(list(three)) for three in threes]
    shapes[4:4] = [None, shapely.Point(), shapely.MultiPoint()]
    points = geopandas.GeoDataFrame({"n": range(13)}, geometry=shapes, crs=CRS)
    found = zb.point_query(points, [tif, str(again)], interpolate=way)
    assert found["n"].tolist() == [i for i in range(13) for _ in range(2)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        means = np.nanmean(single, axis=1)
    expected = np.insert(means, [4, 4, 4], np.nan).repeat(2)
    np.testing.assert_allclose(found["value"], expected, rtol=1e-12)


def test_no_point_has_no_value(tif: str) -> None:
    """Missing and empty points keep their rows, with null."""
    shapes = [None, shapely.Point(), at((3.5, 30.5)).geometry[0]]
    points = geopandas.GeoDataFrame(geometry=shapes, crs=CRS)
    assert zb.point_query(points, tif)["value"].isna().tolist()[:2] == [True, True]


def test_another_crs(tif: str) -> None:
    """Points in degrees are brought to the raster."""
    points = at(*np.random.default_rng(4).uniform(1, 39, (200, 2)))
    metric = zb.point_query(points, tif)["value"]
    degrees = zb.point_query(points.to_crs("EPSG:4326"), tif)["value"]
    np.testing.assert_array_equal(metric, degrees)


# --- radius -----------------------------------------------------------------------------------


def test_radius_is_a_circle_in_metres(values: NDArray[np.uint16], tmp_path: Path) -> None:
    """Cells weigh by their share of the circle, whatever the points' CRS."""
    path = write_tif(tmp_path / "full.tif", noise(HEIGHT, WIDTH))
    points = at((20, 20), (30.3, 11.7), plot=["x", "y"])
    circle = points.set_geometry(points.buffer(75, quad_segs=256))
    expected = zb.zonal_stats(circle, path, "count,mean,max")
    for crs in (CRS, "EPSG:4326", "EPSG:3857"):
        found = zb.point_query(points.to_crs(crs), path, radius=75, stats="count,mean,max")
        assert list(found.columns) == ["plot", "count", "mean", "max", "geometry"]
        assert found.geom_type.tolist() == ["Point", "Point"]
        np.testing.assert_allclose(found["count"], expected["count"], rtol=1e-5)
        np.testing.assert_allclose(found["mean"], expected["mean"], rtol=1e-3)


def test_radius_about_a_multipoint(tmp_path: Path) -> None:
    """The circles of a multipoint are one zone: what they share counts once."""
    path = write_tif(tmp_path / "full.tif", noise(HEIGHT, WIDTH))
    pair = shapely.MultiPoint(list(at((20, 20), (22, 20)).geometry))
    for crs in (CRS, "EPSG:4326"):
        points = geopandas.GeoDataFrame(geometry=[pair, None], crs=CRS).to_crs(crs)
        found = zb.point_query(points, path, radius=50, stats=["count"])
        both = shapely.union_all(shapely.buffer(shapely.get_parts(pair), 50, quad_segs=64))
        assert found["count"].tolist() == pytest.approx([both.area / 100, 0], rel=1e-3)


# --- refusals ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"interpolate": "cubic"}, "'cubic' is unknown; use nearest or bilinear"),
        ({"stats": "mean,max"}, "give a radius"),
        ({"stats": ["sum"]}, "give a radius"),
        ({"radius": 0}, "positive number of metres, not 0"),
        ({"radius": float("nan")}, "positive number of metres, not nan"),
        ({"radius": 9, "interpolate": "bilinear"}, "no meaning with a radius"),
        ({"radius": 9, "stats": "meen"}, "meen"),
    ],
)
def test_what_makes_no_sense(tif: str, options: dict[str, Any], message: str) -> None:
    """Options that contradict each other are refused, and said what to do."""
    with pytest.raises(InputError, match=message):
        zb.point_query(at((3, 3)), tif, **options)


def test_what_are_no_points(tif: str) -> None:
    """Lines, areas, tables and points without a CRS are refused."""
    line = geopandas.GeoDataFrame(geometry=[shapely.LineString([(0, 0), (1, 1)])], crs=CRS)
    with pytest.raises(InputError, match="row 0 is a LineString"):
        zb.point_query(line, tif)
    with pytest.raises(ZonesError, match="a GeoDataFrame, a path or"):
        zb.point_query(pd.DataFrame({"x": [1]}), tif)
    for radius in (None, 5.0):
        with pytest.raises(ZonesError, match="has no CRS"):
            zb.point_query(at((3, 3)).set_crs(None, allow_override=True), tif, radius=radius)


def test_names_and_ids(tif: str) -> None:
    """A column of the result's name is refused, and so are ids that repeat."""
    with pytest.raises(InputError, match="column 'value' already"):
        zb.point_query(at((3, 3), value=[1]), tif)
    with pytest.raises(ZonesError, match="unique"):
        zb.point_query(at((3, 3), (4, 4), plot=["a", "a"]), tif, id="plot")
    with pytest.raises(ZonesError, match="no id column 'plo'"):
        zb.point_query(at((3, 3), plot=["a"]), tif, id="plo")
