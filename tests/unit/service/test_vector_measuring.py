"""Vector measuring: the figures of an area on features, held against brute force."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import Geod

from tests.made.features import answered, squares, written
from zonalbatch.service.refusals import BAD, Refusal

GEOD = Geod(ellps="WGS84")
ALL = ("count", "sum", "mean", "min", "max", "range", "std", "median", "p25", "majority",
       "minority", "unique", "nodata", "freq_hist", "density")  # fmt: skip

REAL = {
    "improve/dk_2024_fiboa_0_2.parquet": "area",
    "improve/be_vlg_2024_fiboa_0_2.parquet": "area",
    "convert/jp/jp_field_polygons_2024.parquet": "edit_year",
    "convert/it_1/iti1_2023.parquet": "area_ha",
}
"""File of field boundaries -> a column of numbers."""


def _metres(shape: shapely.Geometry) -> float:
    return abs(GEOD.geometry_area_perimeter(shapely.segmentize(shape, 0.001))[0])


@pytest.fixture
def tiled(tmp_path: Path) -> Path:
    """A hundred squares, in ten row groups."""
    return written(squares(), tmp_path / "squares.parquet")


def test_figures_are_those_of_brute_force(tiled: Path) -> None:
    """Sums go by share of the feature; means, deviations and classes by area inside."""
    aoi = shapely.Polygon([(5.013, 50.004), (5.081, 50.022), (5.055, 50.077), (5.02, 50.06)])
    found = answered(tiled, aoi, "v", stats=ALL)
    frame = squares()
    parts = shapely.intersection(frame.geometry.to_numpy(), aoi)
    inside = np.array([_metres(part) for part in parts])
    share = inside / np.array([_metres(one) for one in frame.geometry])
    v, kept = frame["v"].to_numpy(), share > 0
    mean = (v * inside).sum() / inside.sum()
    assert found["count"] == pytest.approx(share.sum(), rel=1e-7)
    assert found["sum"] == pytest.approx((v * share).sum(), rel=1e-7)
    assert found["mean"] == pytest.approx(mean, rel=1e-7)
    std = np.sqrt(((v - mean) ** 2 * inside).sum() / inside.sum())
    assert found["std"] == pytest.approx(std, rel=1e-7)
    assert (found["min"], found["max"]) == (v[kept].min(), v[kept].max())
    assert found["range"] == v[kept].max() - v[kept].min()
    assert found["unique"] == len(np.unique(v[kept]))
    weight = {value: inside[v == value].sum() for value in np.unique(v[kept])}
    assert found["majority"] == max(weight, key=lambda value: weight[value])
    assert found["minority"] == min(weight, key=lambda value: weight[value])
    counts = {float(value): count for value, count in found["freq_hist"].items()}
    assert counts == pytest.approx({value: share[v == value].sum() for value in weight}, rel=1e-6)
    assert found["data_area"] == pytest.approx(_metres(aoi), rel=1e-7)
    assert found["aoi_area"] == pytest.approx(_metres(aoi), rel=1e-4)  # its edges are geodesics
    assert found["density"] == pytest.approx(found["sum"] / found["aoi_area"] * 1e6)
    assert list(found) == [*ALL, "aoi_area", "data_area"]


def test_quantiles_of_equal_features_are_numpys(tmp_path: Path) -> None:
    """Features of one size inside are ranked as numbers are."""
    row = squares(side=10).iloc[30:40]
    path = written(row, tmp_path / "row.parquet")
    found = answered(path, shapely.box(4.9, 49.9, 5.2, 50.2), "n", stats=("median", "p10"))
    assert found["median"] == pytest.approx(np.median(row["n"]))
    assert found["p10"] == pytest.approx(np.percentile(row["n"], 10))


@pytest.mark.parametrize("crs", [4326, 32631, 3857])
def test_sums_of_two_halves_add_up(tmp_path: Path, crs: int) -> None:
    """Cutting an area in two cuts what is summed over it in two."""
    path = written(squares().to_crs(crs), tmp_path / "squares.parquet")
    west, east = shapely.box(4.99, 49.99, 5.0437, 50.2), shapely.box(5.0437, 49.99, 5.2, 50.2)
    whole = answered(path, shapely.union(west, east).envelope, "v")
    halves = [answered(path, half, "v") for half in (west, east)]
    for name in ("sum", "count", "data_area"):
        assert sum(half[name] for half in halves) == pytest.approx(whole[name], rel=1e-8)
    assert whole["sum"] == pytest.approx(squares()["v"].sum(), rel=1e-9)


@pytest.mark.parametrize("name", REAL)
def test_halves_of_real_fields_add_up(data_dir: Path, name: str) -> None:
    """All fields are in the box around them, and each once in its two halves."""
    path, column = data_dir / "zones/fiboa" / name, REAL[name]
    if not path.exists():
        pytest.skip(f"no {name} in the real data")
    frame = gpd.read_parquet(path)
    degrees = frame.to_crs(4326)
    left, bottom, right, top = shapely.box(*degrees.total_bounds).buffer(0.1).bounds
    middle = float(np.median(degrees.geometry.bounds.minx)) + 1e-4
    whole = answered(path, shapely.box(left, bottom, right, top), column)
    west = answered(path, shapely.box(left, bottom, middle, top), column)
    east = answered(path, shapely.box(middle, bottom, right, top), column)
    assert whole["count"] == pytest.approx(len(frame), rel=1e-9)
    assert whole["sum"] == pytest.approx(frame[column].astype(float).sum(), rel=1e-6)
    for figure in ("sum", "count", "data_area"):
        assert west[figure] + east[figure] == pytest.approx(whole[figure], rel=1e-9)


def test_data_area_is_that_of_real_fields(data_dir: Path) -> None:
    """The fields of Flanders have the hectares that their column says."""
    path = data_dir / "zones/fiboa/improve/be_vlg_2024_fiboa_0_2.parquet"
    if not path.exists():
        pytest.skip("no fields of Flanders in the real data")
    found = answered(path, shapely.box(4, 50.5, 4.5, 51.5), "area")
    assert found["data_area"] == pytest.approx(found["sum"] * 10_000, rel=1e-4)


def test_values_that_are_none_are_left_out(tmp_path: Path) -> None:
    """Null, NaN and infinite values are counted as such, and in nothing else."""
    frame = squares(side=2)
    frame["v"] = pd.array([None, 1.0, 3.0, np.inf], dtype="Float64")
    path = written(frame, tmp_path / "holes.parquet")
    aoi = shapely.box(4.9, 49.9, 5.1, 50.1)
    found = answered(path, aoi, "v", stats=("count", "sum", "nodata", "max"))
    assert (found["count"], found["sum"], found["nodata"], found["max"]) == (2, 4, 2, 3)
    assert found["data_area"] < 0.51 * answered(path, aoi, "n")["data_area"]


def test_without_a_feature_nothing_is_told(tiled: Path) -> None:
    """Counts and sums of areas are 0; there is no mean of nothing."""
    found = answered(tiled, shapely.box(7, 40, 8, 41), "v", stats=ALL)
    assert (found["count"], found["data_area"], found["nodata"]) == (0, 0, 0)
    assert [found[name] for name in ("sum", "mean", "median", "density", "min")] == [None] * 5


def test_a_point_takes_the_features_that_it_lies_in(tiled: Path) -> None:
    """As a whole, and without an area; with a radius it is a circle."""
    point = {"type": "Point", "coordinates": [5.035, 50.025]}
    found = answered(tiled, point, "n", stats=("sum", "count", "density"))
    assert found == {"sum": 23, "count": 1, "density": None, "aoi_area": 0, "data_area": 0}
    circle = answered(tiled, {**point, "radius": 100.0}, "n", stats=("mean", "count"))
    assert circle["mean"] == pytest.approx(23)
    assert circle["aoi_area"] == pytest.approx(np.pi * 100**2, rel=0.01)
    assert circle["data_area"] == pytest.approx(circle["aoi_area"], rel=1e-6)


def test_points_and_lines_are_weighed_by_number_and_length(tmp_path: Path) -> None:
    """A point is inside or not; half of a line has half of its value."""
    points = gpd.GeoDataFrame(
        {"v": [1, 2, 4]}, geometry=gpd.points_from_xy([1, 2, 9], [1, 2, 9]), crs=4326
    )
    lines = gpd.GeoDataFrame(
        {"v": [8.0, 2.0]}, crs=4326,
        geometry=[shapely.LineString([(2, 1), (4, 1)]), shapely.LineString([(1, 1), (1, 2)])],
    )  # fmt: skip
    aoi = shapely.box(0, 0, 3, 3)
    found = answered(written(points, tmp_path / "points.parquet"), aoi, "v")
    assert (found["sum"], found["count"], found["data_area"]) == (3, 2, 0)
    found = answered(written(lines, tmp_path / "lines.parquet"), aoi, "v", stats=("sum", "mean"))
    a, b = GEOD.inv(2, 1, 3, 1)[2], GEOD.inv(1, 1, 1, 2)[2]
    assert found["sum"] == pytest.approx(6)
    assert found["mean"] == pytest.approx((8 * a + 2 * b) / (a + b))


def test_areas_and_points_together_are_refused(tmp_path: Path) -> None:
    """Nothing weighs square metres against numbers."""
    frame = squares(side=2)
    frame.loc[0, "geometry"] = shapely.Point(5.001, 50.001)
    path = written(frame, tmp_path / "mixed.parquet")
    with pytest.raises(Refusal) as refused:
        answered(path, shapely.box(4.9, 49.9, 5.2, 50.2), "v")
    assert refused.value.status == BAD


def test_features_across_the_antimeridian_are_cut_there(tmp_path: Path) -> None:
    """A feature of Fiji lies half to the east of it, whichever way it is written."""
    across = shapely.Polygon([(179, -18), (181, -18), (181, -17), (179, -17)])
    drawn = shapely.Polygon([(179, -18), (-179, -18), (-179, -17), (179, -17)])
    for number, shape in enumerate((across, drawn)):
        frame = gpd.GeoDataFrame({"v": [10.0]}, geometry=[shape], crs=4326)
        path = written(frame, tmp_path / f"{number}.parquet")
        for aoi in (shapely.box(178, -19, 180, -16), shapely.box(-180, -19, -178, -16)):
            assert answered(path, aoi, "v")["sum"] == pytest.approx(5)


def test_another_geometry_column_may_be_asked_about(tmp_path: Path) -> None:
    """Geometries may be several; the primary one is the default."""
    frame = squares(side=2)
    frame["spot"] = gpd.GeoSeries(gpd.points_from_xy([0, 1, 2, 3], [0, 0, 0, 0]), crs=4326)
    path = tmp_path / "two.parquet"
    frame.to_parquet(path)
    aoi = shapely.box(0.5, -1, 2.5, 1)
    assert answered(path, aoi, "n", geometry_column="spot")["sum"] == 3
    assert answered(path, aoi, "n")["count"] == 0


def test_several_columns_are_answered_at_once(tiled: Path) -> None:
    """Each by its name, in the order in which they were asked for."""
    found = answered(tiled, shapely.box(4.9, 49.9, 5.2, 50.2), "n", "v")
    assert list(found) == ["n", "v"]
    assert found["n"]["sum"] == pytest.approx(4950)
