"""zonalbatch.compat.rasterstats beside rasterstats itself, and where it differs on purpose."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pytest
import rasterio
import rasterstats
import shapely
from affine import Affine
from numpy.typing import NDArray
from rasterio.features import rasterize
from rasterio.transform import from_origin

import zonalbatch.compat.rasterstats as ours
from tests.made.places import CELL, CRS, LEFT, TOP
from tests.made.rasters import noise, write_tif
from zonalbatch.compat.rasterstats.marks import marked
from zonalbatch.compat.rasterstats.names import VALID_STATS
from zonalbatch.lattice import grid_of

HEIGHT, WIDTH = 40, 50
AFFINE = from_origin(LEFT, TOP, CELL, CELL)
STATS = [*VALID_STATS, "percentile_13.2"]


@pytest.fixture(scope="module")
def values() -> NDArray[np.uint16]:
    """(40, 50) values from 0 to 6; 0 is nodata."""
    return noise(HEIGHT, WIDTH) % np.uint16(7)


@pytest.fixture(scope="module")
def tif(values: NDArray[np.uint16], tmp_path_factory: pytest.TempPathFactory) -> str:
    """The values as a file."""
    return write_tif(tmp_path_factory.mktemp("compat") / "scene.tif", values, nodata=0)


def shapes(seed: int, reach: float = 0.0) -> list[shapely.Geometry]:
    """Triangles, lines, points and multipoints, up to ``reach`` cells beyond the raster."""
    rng = np.random.default_rng(seed)

    def places(count: int) -> NDArray[np.float64]:
        at = rng.uniform(-reach, np.array([WIDTH, HEIGHT]) + reach, (count, 2))
        return np.array([LEFT, TOP]) + at * [CELL, -CELL]

    makers = (shapely.Polygon, shapely.LineString, shapely.MultiPoint)
    made = [make(places(3)) for make in makers for _ in range(6)]
    return [*made, *(shapely.Point(*places(1)[0]) for _ in range(6))]


def theirs(*args: Any, **kwargs: Any) -> list[Any]:
    """What rasterstats says, without its warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return list(rasterstats.zonal_stats(*args, **kwargs))


def assert_same(found: list[dict[Any, Any]], wanted: list[dict[Any, Any]]) -> None:
    """Rows have the same keys, None in the same places, and the same numbers but for rounding."""
    for own, other in zip(found, wanted, strict=True):
        assert own.keys() == other.keys()
        assert [own[key] is None for key in own] == [other[key] is None for key in own]
        np.testing.assert_allclose(
            flat([own[key] for key in own]), flat([other[key] for key in own]), 1e-12
        )


@pytest.mark.parametrize("all_touched", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_statistics_of_a_file(tif: str, seed: int, all_touched: bool) -> None:
    """All statistics and counts of categories are rasterstats', for areas, lines and points."""
    wanted = {"stats": STATS, "categorical": True, "all_touched": all_touched}
    zones = shapes(seed, reach=5.0)
    assert_same(ours.zonal_stats(zones, tif, **wanted), theirs(zones, tif, **wanted))


def test_statistics_of_an_array(values: NDArray[np.uint16], tif: str) -> None:
    """An array with its affine gives what its file gives."""
    zones, wanted = shapes(7), {"stats": STATS, "category_map": {3: "three"}, "categorical": True}
    found = ours.zonal_stats(zones, values, affine=AFFINE, nodata=0, **wanted)
    assert found == ours.zonal_stats(zones, tif, **wanted)
    assert_same(found, theirs(zones, values, affine=AFFINE, nodata=0, **wanted))


def test_arrays_of_zones(tif: str) -> None:
    """Functions see the array that rasterstats would show them, and so does the user."""
    zones = shapes(3, reach=3.0)
    wanted = {
        "stats": STATS, "raster_out": True, "zone_func": lambda cells: cells * 2,
        "add_stats": {"cells": lambda _, __, inside: int(inside.sum()), "least": np.ma.min},
    }  # fmt: skip
    for own, other in zip(
        ours.zonal_stats(zones, tif, **wanted), theirs(zones, tif, **wanted), strict=True
    ):
        mine, others = own.pop("mini_raster_array"), other.pop("mini_raster_array")
        np.testing.assert_array_equal(mine.mask, others.mask)
        np.testing.assert_array_equal(mine.compressed(), others.compressed())
        assert tuple(own.pop("mini_raster_affine")) == pytest.approx(
            tuple(other.pop("mini_raster_affine"))
        )
        assert str(own.pop("least")) == str(other.pop("least"))
        assert_same([own], [other])


def test_features_come_back(tif: str) -> None:
    """geojson_out keeps the features of a frame, and prefix names what is added."""
    frame = geopandas.GeoDataFrame({"crop": ["rye"]}, geometry=shapes(1)[:1], crs=CRS)
    feature = ours.zonal_stats(frame, tif, stats="count", prefix="zb_", geojson_out=True)[0]
    assert feature["properties"]["crop"] == "rye"
    assert set(feature["properties"]) == {"crop", "zb_count"}


def test_lines_are_walked_as_gdal_does() -> None:
    """A line takes the cells that GDAL burns."""
    lattice = grid_of(CRS, tuple(AFFINE)[:6], (HEIGHT, WIDTH)).lattice
    lines = [
        one for seed in range(20) for one in shapes(seed) if isinstance(one, shapely.LineString)
    ]
    for line, area in zip(lines, marked(np.array(lines, object), lattice, lines=True), strict=True):
        burnt = rasterize([line], out_shape=(HEIGHT, WIDTH), transform=AFFINE)
        taken = rasterize([area], out_shape=(HEIGHT, WIDTH), transform=AFFINE)
        np.testing.assert_array_equal(taken, burnt)


def test_two_points_in_a_cell_count_once(tif: str) -> None:
    """A cell that two points of a feature lie in is one cell, where rasterstats has none."""
    point = np.array([LEFT + 0.3 * CELL, TOP - 0.3 * CELL])
    both = shapely.MultiPoint([point, point + 0.1])
    assert (
        ours.zonal_stats([both], tif, stats="nodata count")[0]
        == (ours.zonal_stats([shapely.Point(point)], tif, stats="nodata count")[0])
    )


def test_masked_cells_stay_masked() -> None:
    """The mask of a masked array is kept, also where the type has no value to spare."""
    mask = np.array([[0, 1], [0, 0]], bool)
    array = np.ma.masked_array(np.array([[1, 2], [3, 4]], "uint8"), mask=mask)
    box, affine = shapely.box(0, 0, 2, 2), from_origin(0, 2, 1, 1)
    with pytest.warns(ours.NodataWarning, match="-999"):
        found = ours.zonal_stats([box], array, affine=affine, stats="count sum")
    assert found == [{"count": 3, "sum": 8.0}]


@pytest.mark.parametrize("raster_out", [False, True])
def test_nan_and_south_up(raster_out: bool) -> None:
    """NaN and infinite cells count as nan, also if NaN is nodata; rows may run north."""
    array = np.array([[1.0, np.nan], [np.inf, 4.0]])
    found = ours.zonal_stats(
        [shapely.box(0, 0, 1, 3)], array, affine=Affine(1, 0, 0, 0, 1, 0), nodata=np.nan,
        stats="count sum nan nodata", raster_out=raster_out,
    )  # fmt: skip
    wanted = {"count": 1, "sum": 1.0, "nan": 1.0, "nodata": 1.0}
    assert wanted.items() <= found[0].items()


def test_a_file_without_a_crs(tmp_path: Path) -> None:
    """A file without a CRS is as good as any other: zones are taken to lie in its plane."""
    path, box = tmp_path / "plane.tif", shapely.box(0.2, 0.2, 2, 2)
    profile = {"driver": "GTiff", "height": 2, "width": 2, "count": 1, "dtype": "uint8"}
    with rasterio.open(path, "w", **profile, nodata=0, transform=from_origin(0, 2, 1, 1)) as file:
        file.write(np.array([[[1, 2], [3, 0]]], "uint8"))
    assert ours.zonal_stats([box], path, stats="count sum nodata") == [
        {"count": 3, "sum": 6.0, "nodata": 1.0}
    ]
    assert ours.point_query("POINT (0.5 1.5)", path, interpolate="nearest") == [1]


@pytest.mark.parametrize("way", ["nearest", "bilinear"])
def test_values_at_vertices(tif: str, values: NDArray[np.uint16], way: str) -> None:
    """Values at points and vertices are rasterstats', of files and of arrays."""
    zones = shapes(2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wanted = rasterstats.point_query(zones, tif, interpolate=way)
    of_array = ours.point_query(zones, values, affine=AFFINE, nodata=0, interpolate=way)
    for found in (ours.point_query(zones, tif, interpolate=way), of_array):
        assert [isinstance(v, list) for v in found] == [isinstance(v, list) for v in wanted]
        np.testing.assert_allclose(flat(found), flat(wanted), rtol=1e-9)


def flat(found: list[Any]) -> NDArray[np.float64]:
    """All values, NaN for None."""
    rows = [own if isinstance(own, list) else [own] for own in found]
    return np.array([np.nan if v is None else v for own in rows for v in own])


@pytest.mark.parametrize(
    ("error", "change"),
    [
        (ValueError, {"stats": "mean foo"}),
        (ValueError, {"stats": "percentile_101"}),
        (TypeError, {"zone_func": "no function"}),
        (ValueError, {"vectors": "nonsense"}),
        (OSError, {"raster": "nowhere.tif"}),
        (ValueError, {"raster": np.ones((2, 2))}),
        (ValueError, {"boundless": False}),
    ],
)
def test_errors(tif: str, error: type[Exception], change: dict[str, Any]) -> None:
    """What cannot be used is refused with rasterstats' kind of error."""
    given = {"vectors": [shapely.Point(LEFT - 5 * CELL, TOP)], "raster": tif} | change
    with pytest.raises(error):
        ours.zonal_stats(given.pop("vectors"), given.pop("raster"), **given)
