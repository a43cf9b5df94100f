"""compat.exactextract beside exactextract: the same calls, the same answers."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import exactextract
import exactextract.raster
import geopandas
import numpy as np
import pytest
import rasterio
import shapely

from tests.made.places import LEFT, TOP
from tests.made.rasters import noise, write_tif
from tests.made.zones import frame
from zonalbatch.compat import exactextract as ours
from zonalbatch.compat.exactextract import raster as sources

STATS = [
    "count", "sum", "mean", "min", "max", "mode", "majority", "minority", "variety", "variance",
    "stdev", "coefficient_of_variation", "values", "coverage", "cell_id", "center_x", "center_y",
    "min_center_x", "min_center_y", "max_center_x", "max_center_y",
    "few=count(min_coverage_frac=0.4)", "all=count(coverage_weight=none)",
    "most=sum(min_coverage_frac=0.3,coverage_weight=none)", "filled=sum(default_value=7)",
    "area=count(coverage_weight=area_cartesian)",
]  # fmt: skip


@pytest.fixture(scope="module")
def zones() -> geopandas.GeoDataFrame:
    """Triangles, one of them half outside, one without a valid cell."""
    rng = np.random.default_rng(5)
    shapes: list[Any] = [
        shapely.Polygon(rng.uniform(0, 380, (3, 2)) + np.array([LEFT, TOP - 390]))
        for _ in range(12)
    ]
    shapes.append(shapely.box(LEFT - 55, TOP - 75, LEFT + 44, TOP - 13))
    shapes.append(shapely.box(LEFT + 203, TOP - 215, LEFT + 216, TOP - 203))
    return frame(*shapes, name=[f"z{i}" for i in range(14)])


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Rasters of 40 × 40 cells: of integers and of floats, one band and two, scaled."""
    folder = tmp_path_factory.mktemp("rasters")
    whole = noise(40, 40) % 50
    whole[20:22, 20:22] = 0
    real = whole.astype("float32") * 1.5
    real[20:22, 20:22] = np.nan
    return {
        "whole": write_tif(folder / "whole.tif", whole, nodata=0),
        "real": write_tif(folder / "real.tif", real),
        "two": write_tif(folder / "two.tif", np.stack([whole, 2 * whole]), nodata=0),
        "scaled": write_tif(folder / "scaled.tif", whole, nodata=0, scale=0.5, offset=-3),
    }


def assert_same(mine: Any, theirs: Any) -> None:
    """Two features, or parts of such, are the same but for the rounding of shares."""
    assert type(mine) is type(theirs)
    if isinstance(mine, dict):
        assert mine.keys() == theirs.keys()
        for key in mine:
            assert_same(mine[key], theirs[key])
    elif isinstance(mine, list):
        assert len(mine) == len(theirs)
        for one, other in zip(mine, theirs, strict=True):
            assert_same(one, other)
    elif isinstance(mine, np.ndarray):
        assert mine.shape == theirs.shape
        np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-6)
    elif isinstance(mine, float):
        assert math.isclose(mine, theirs, rel_tol=1e-5, abs_tol=1e-5) or (mine != mine) == (
            theirs != theirs
        ), (mine, theirs)
    else:
        assert mine == theirs


class TestAnswers:
    """The same call gives the same."""

    @pytest.mark.parametrize("name", ["whole", "real", "two", "scaled"])
    def test_of_files(
        self, name: str, files: dict[str, str], zones: geopandas.GeoDataFrame
    ) -> None:
        """Names, types and numbers of features, for every statistic but quantiles."""
        about: dict[str, Any] = {"include_cols": ["name"], "include_geom": True}
        if name == "scaled":
            zones = zones.iloc[:13]  # a mean of no cells is 0 / 0 there
        # A name cannot be that of two results.
        for stat in (
            [re.sub(r"^\w+=(?=\w+\()", "", one) for one in STATS] if name == "two" else STATS
        ):
            mine = ours.exact_extract(files[name], zones, [stat], **about)
            theirs = exactextract.exact_extract(files[name], zones, [stat], **about)
            for one, other in zip(mine, theirs, strict=True):
                assert one["geometry"]["coordinates"] == other["geometry"]["coordinates"]
                assert_same(one["properties"], other["properties"])

    def test_of_several(self, files: dict[str, str], zones: geopandas.GeoDataFrame) -> None:
        """Fields are named by file and band, of text, functions and operations alike."""

        def share(values: Any, coverage: Any) -> float:
            return float(coverage.sum())

        paths = [files["whole"], files["two"]]
        mine = ours.exact_extract(paths, zones, ["mean", share], output="pandas")
        theirs = exactextract.exact_extract(paths, zones, ["mean", share], output="pandas")
        assert list(mine) == list(theirs) == [
            "whole_mean", "two_band_1_mean", "two_band_2_mean", "whole_share", "two_band_1_share",
            "two_band_2_share",
        ]  # fmt: skip
        np.testing.assert_allclose(mine.to_numpy(float), theirs.to_numpy(float), rtol=1e-5)

    def test_unique_and_frac(self, files: dict[str, str], zones: geopandas.GeoDataFrame) -> None:
        """Classes and their shares belong together."""
        asked: dict[str, Any] = {"ops": "frac", "output_options": {"frac_as_map": True}}
        mine = ours.exact_extract(files["whole"], zones, **asked)
        theirs = exactextract.exact_extract(files["whole"], zones, **asked)
        for one, other in zip(mine, theirs, strict=True):
            told, wanted = one["properties"]["frac"], other["properties"]["frac"]
            assert told.keys() == wanted.keys()
            assert all(math.isclose(told[k], wanted[k], abs_tol=1e-6) for k in told)

    @pytest.mark.parametrize("default", ["", "default_weight=3"])
    def test_weights(
        self, default: str, files: dict[str, str], zones: geopandas.GeoDataFrame
    ) -> None:
        """Weighted statistics, NaN where a weight is missing and no default stands in."""
        stats = ["mean", "sum", "stdev", "variance"]
        asked = [f"weighted_{stat}" + f"({default})" * bool(default) for stat in stats]
        asked += ["count", "weights"]
        about: dict[str, Any] = {"weights": files["whole"], "output": "pandas"}
        mine = ours.exact_extract(files["real"], zones, asked, **about)
        theirs = exactextract.exact_extract(files["real"], zones, asked, **about)
        assert list(mine) == list(theirs)
        for name in mine:
            for one, other in zip(mine[name], theirs[name], strict=True):
                np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)

    def test_on_a_sphere(self) -> None:
        """Cells in degrees by their area."""
        values = np.arange(16, dtype="int32").reshape(4, 4) % 5
        zone = {"type": "Feature", "geometry": shapely.box(0.5, 40.5, 3.2, 43.9).__geo_interface__}
        stats = ["count", "sum", "mean", "stdev", "variance", "mode", "minority", "frac",
                 "coverage", "coefficient_of_variation"]  # fmt: skip
        asked = [f"{s}(coverage_weight=area_spherical_km2)" for s in stats]
        mine = ours.exact_extract(
            sources.NumPyRasterSource(values, 0, 40, 4, 44), zone, [*asked, "unique"]
        )
        theirs = exactextract.exact_extract(
            exactextract.raster.NumPyRasterSource(values, 0, 40, 4, 44), zone, [*asked, "unique"]
        )
        assert_same(*(_in_order(found[0]["properties"]) for found in (mine, theirs)))


def _in_order(fields: dict[str, Any]) -> dict[str, Any]:
    """Classes and their shares in the order of classes."""
    order = np.argsort(fields["unique"])
    return fields | {name: fields[name][order] for name in ("unique", "frac")}


class TestInputs:
    """What may stand for rasters and zones."""

    def test_rasters(self, files: dict[str, str], zones: geopandas.GeoDataFrame) -> None:
        """A path, a dataset, an array of xarray, of NumPy, or a class of the user's own."""
        import rioxarray

        class Own(sources.RasterSource):
            """Twice ones."""

            def res(self) -> tuple[float, float]:
                return 10.0, 10.0

            def extent(self) -> tuple[float, float, float, float]:
                return LEFT, TOP - 400, LEFT + 400, TOP

            def srs_wkt(self) -> None:
                return None

            def nodata_value(self) -> None:
                return None

            def read_window(self, x0: int, y0: int, nx: int, ny: int) -> Any:
                return np.full((ny, nx), 2.0)

        wanted = ours.exact_extract(files["whole"], zones, "sum", output="pandas")["sum"]
        array: Any = rioxarray.open_rasterio(files["whole"])
        with rasterio.open(files["whole"]) as file:
            values = np.ma.masked_equal(file.read(1), 0)
            matrix = sources.NumPyRasterSource(values, *file.bounds)
            for one in (file, array, array.isel(y=slice(None, None, -1)), matrix):
                found = ours.exact_extract(one, zones, "sum", output="pandas")["sum"]
                np.testing.assert_allclose(found, wanted, rtol=1e-12)
        found = ours.exact_extract(Own(), zones, ["sum", "count"], output="pandas")
        np.testing.assert_allclose(found["sum"], 2 * found["count"])

    def test_zones(
        self, files: dict[str, str], zones: geopandas.GeoDataFrame, tmp_path: Path
    ) -> None:
        """A file, a frame, features, one feature."""
        zones.to_file(tmp_path / "zones.gpkg")
        features = list(zones.iterfeatures())
        wanted = [f["properties"] for f in ours.exact_extract(files["real"], zones, "count")]
        for some in (tmp_path / "zones.gpkg", str(tmp_path / "zones.gpkg"), features):
            found = ours.exact_extract(files["real"], some, "count")
            assert [f["properties"] for f in found] == wanted
        assert ours.exact_extract(files["real"], features[0], "count")[0]["properties"] == wanted[0]

    def test_broken_zones(self, files: dict[str, str]) -> None:
        """Zones are repaired, null ones and points are told apart."""
        bow = shapely.Polygon([(0, 0), (100, 100), (100, 0), (0, 100)])
        bow = shapely.transform(bow, lambda xy: xy + np.array([LEFT + 100, TOP - 300]))
        found = ours.exact_extract(files["real"], frame(bow, None), "count", output="pandas")
        assert found["count"].tolist() == pytest.approx([50, 0])
        with pytest.raises(RuntimeError, match="Unsupported geometry type"):
            ours.exact_extract(files["real"], frame(shapely.Point(LEFT, TOP)), "count")

    def test_crs(self, files: dict[str, str], zones: geopandas.GeoDataFrame) -> None:
        """Another CRS of the zones is warned of, and not looked at."""
        other = zones.set_crs("EPSG:32633", allow_override=True)
        with pytest.warns(RuntimeWarning, match="does not exactly match raster"):
            found = ours.exact_extract(files["real"], other, "count", output="pandas")
        wanted = ours.exact_extract(files["real"], zones, "count", output="pandas")
        assert found["count"].tolist() == wanted["count"].tolist()


class TestOutputs:
    """What becomes of results."""

    def test_a_file(
        self, files: dict[str, str], zones: geopandas.GeoDataFrame, tmp_path: Path
    ) -> None:
        """`gdal` writes a file with the geometry."""
        found = ours.exact_extract(
            files["whole"], zones, ["mean", "variety"], output="gdal", include_cols="name",
            include_geom=True, output_options={"filename": tmp_path / "out.gpkg"},
        )  # fmt: skip
        assert found is None
        written = geopandas.read_file(tmp_path / "out.gpkg")
        assert list(written) == ["name", "mean", "variety", "geometry"]
        assert written.crs == zones.crs

    @pytest.mark.parametrize(
        ("output", "problem"), [("qgis", "output='gdal'"), ("csv", "use geojson, pandas or gdal")]
    )
    def test_none_of_that_name(self, files: dict[str, str], output: str, problem: str) -> None:
        """What is not offered is refused with what is."""
        with pytest.raises(ValueError, match=problem):
            ours.exact_extract(files["whole"], frame(shapely.box(0, 0, 1, 1)), "mean",
                               output=output)  # fmt: skip

    def test_progress(self, files: dict[str, str], zones: geopandas.GeoDataFrame) -> None:
        """A function is told of every feature."""
        told: list[float] = []
        ours.exact_extract(
            files["whole"], zones, "mean", progress=lambda share, text: told.append(share)
        )
        assert told == [(i + 1) / 14 for i in range(14)]


class TestOperations:
    """Text that is refused, in the peer's words."""

    @pytest.mark.parametrize(
        "text",
        ["mean(", "quantile", "quantile(q=2)", "mean(coverage_weight=x)", "average", "mean(z=1)",
         "mean(min_coverage_frac=2)", "weighted_mean", "mean(nowhere)", "mean(a=1,a=2)"],
    )  # fmt: skip
    def test_refused(self, text: str, files: dict[str, str], zones: geopandas.GeoDataFrame) -> None:
        """What the peer raises for what it understands no better, or falls over."""
        with pytest.raises(ValueError if "q=2" in text else RuntimeError):
            ours.exact_extract(files["whole"], zones, [text])

    def test_quantiles(self) -> None:
        """They are NumPy's where cells are whole, and not cut to integers."""
        values = np.array([[0, 0], [0, 10]])
        source = sources.NumPyRasterSource(values)
        zone = {"type": "Feature", "geometry": shapely.box(0, 0, 2, 2).__geo_interface__}
        found = ours.exact_extract(source, zone, ["median", "quantile(q=0.9)"])[0]["properties"]
        assert found == {"median": 0.0, "quantile_90": pytest.approx(7.0)}
