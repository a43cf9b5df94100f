"""zb.zonal_stats: one call, one frame."""

from __future__ import annotations

import inspect
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import pytest
import rasterio
import rioxarray
import shapely
from numpy.typing import NDArray
from rasterio.transform import from_origin

import zonalbatch as zb
from zonalbatch.errors import InputError, PermanentReadError, SourceError, StatisticError

LEFT, TOP = 500_000.0, 5_600_000.0
CRS = "EPSG:32631"
NAMES = ["count", "mean", "min", "max", "sum", "std", "median", "n_total", "n_outside"]


def write_tif(
    path: Path, values: NDArray[Any], *, descriptions: tuple[str, ...] = (), **options: Any
) -> str:
    """Write (row, col) or (band, row, col) values as a GeoTIFF with cells of 10 m; its path."""
    cube = values if values.ndim == 3 else values[None]
    scale, offset = options.pop("scale", 1.0), options.pop("offset", 0.0)
    profile = {
        "driver": "GTiff", "count": len(cube), "height": cube.shape[1], "width": cube.shape[2],
        "dtype": cube.dtype, "crs": CRS, "transform": from_origin(LEFT, TOP, 10, 10),
    }  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(path, "w", **profile | options) as file:
        file.write(cube)
        file.scales, file.offsets = (scale,) * len(cube), (offset,) * len(cube)
        for i, name in enumerate(descriptions, 1):
            file.set_band_description(i, name)
    return str(path)


def box(row: int, col: int, rows: int, cols: int, shift: float = 0.0) -> shapely.Polygon:
    """The cells of a window as a shape, moved by a share of a cell to the east."""
    x, y = LEFT + 10 * (col + shift), TOP - 10 * row
    return shapely.box(x, y - 10 * rows, x + 10 * cols, y)


@pytest.fixture
def values() -> NDArray[np.uint16]:
    """(40, 50) values, none of them 0."""
    return np.random.default_rng(0).integers(1, 1000, (40, 50)).astype("uint16")


@pytest.fixture
def tif(values: NDArray[np.uint16], tmp_path: Path) -> str:
    """The values as a file."""
    return write_tif(tmp_path / "scene.tif", values)


@pytest.fixture
def zones() -> geopandas.GeoDataFrame:
    """Three zones on edges of cells, in an order of their own."""
    return geopandas.GeoDataFrame(
        {"name": ["c", "a", "b"], "weight": [1.5, 2.5, 3.5]},
        geometry=[box(20, 30, 5, 6), box(0, 0, 4, 4), box(10, 5, 1, 1)],
        index=pd.Index([30, 10, 20], name="number"),
        crs=CRS,
    )


WINDOWS = (np.s_[20:25, 30:36], np.s_[0:4, 0:4], np.s_[10:11, 5:6])


class TestSurface:
    """Names and defaults are a contract."""

    def test_signature(self) -> None:
        """As the design has it."""
        parameters = inspect.signature(zb.zonal_stats).parameters
        assert list(parameters) == [
            "zones", "raster", "stats", "bands", "measurements", "mask", "id", "columns", "prefix",
            "coverage", "weights", "nodata", "scale_offset", "group_by", "datetime_pattern",
            "layout", "geometry", "progress",
        ]  # fmt: skip
        kinds = [p.kind for p in parameters.values()]
        assert set(kinds[:3]) == {inspect.Parameter.POSITIONAL_OR_KEYWORD}
        assert set(kinds[3:]) == {inspect.Parameter.KEYWORD_ONLY}
        defaults = {name: p.default for name, p in parameters.items()}
        assert defaults["stats"] == ("count", "mean")
        assert defaults["coverage"] == "fraction"
        assert defaults["scale_offset"] == "auto"
        assert (defaults["layout"], defaults["geometry"], defaults["progress"]) == (
            "wide", True, False,
        )  # fmt: skip
        for name in ("bands", "measurements", "mask", "id", "columns", "prefix", "weights",
                     "nodata", "group_by", "datetime_pattern"):  # fmt: skip
            assert defaults[name] is None

    @pytest.mark.parametrize("later", [{"weights": "w.tif"}, {"group_by": "date"}])
    def test_what_comes_later_is_refused(
        self, zones: geopandas.GeoDataFrame, tif: str, later: dict[str, Any]
    ) -> None:
        """And not left aside without a word."""
        with pytest.raises(InputError, match="not in this version"):
            zb.zonal_stats(zones, tif, **later)


class TestFrame:
    """What comes out: index, order, columns."""

    def test_numbers(
        self, zones: geopandas.GeoDataFrame, tif: str, values: NDArray[np.uint16]
    ) -> None:
        """Of zones on edges of cells they are those of the cells, by numpy."""
        found = zb.zonal_stats(zones, tif, NAMES)
        for (_, row), window in zip(found.iterrows(), WINDOWS, strict=True):
            cells = values[window].astype(float)
            assert row["count"] == row["n_total"] == cells.size
            assert row["n_outside"] == 0
            for name in ("mean", "min", "max", "sum", "std"):
                assert row[name] == pytest.approx(getattr(cells, name)(), rel=1e-12)
            assert row["median"] == pytest.approx(np.median(cells), rel=1e-12)

    def test_index_order_and_columns_are_kept(
        self, zones: geopandas.GeoDataFrame, tif: str
    ) -> None:
        """The zones' frame with columns named by statistic; the zones are not touched."""
        before = zones.copy()
        found = zb.zonal_stats(zones, tif)
        assert isinstance(found, geopandas.GeoDataFrame)
        pd.testing.assert_index_equal(found.index, zones.index)
        assert list(found) == ["name", "weight", "count", "mean", "geometry"]
        pd.testing.assert_frame_equal(pd.DataFrame(zones), pd.DataFrame(before))
        pd.testing.assert_frame_equal(found[["name", "weight"]], before[["name", "weight"]])
        assert found.crs == zones.crs
        assert found.geometry.geom_equals(zones.geometry).all()

    def test_defaults(self, zones: geopandas.GeoDataFrame, tif: str) -> None:
        """count and mean; text names several, aliases are understood."""
        names = ["name", "weight"]
        assert list(zb.zonal_stats(zones, tif).columns.drop([*names, "geometry"])) == [
            "count", "mean",
        ]  # fmt: skip
        found = zb.zonal_stats(zones, tif, "stdev, percentile_90, p2.5")
        assert list(found.columns.drop([*names, "geometry"])) == ["std", "p90", "p2_5"]

    def test_id(self, zones: geopandas.GeoDataFrame, tif: str) -> None:
        """A column of ids becomes the index."""
        found = zb.zonal_stats(zones, tif, id="name")
        assert found.index.tolist() == ["c", "a", "b"]
        assert found.index.name == "name"
        assert list(found) == ["weight", "count", "mean", "geometry"]

    def test_ids_are_unique_if_they_are_asked_for(
        self, zones: geopandas.GeoDataFrame, tif: str
    ) -> None:
        """A column named as id must tell the zones apart."""
        with pytest.raises(InputError, match="unique"):
            zb.zonal_stats(zones.assign(name="same"), tif, id="name")

    @pytest.mark.parametrize(
        "index",
        [
            pd.Index([7, 7, 7]),
            pd.Index(["x", "x", "y"], name="mean"),
            pd.Index([1.5, None, 2.5]),
            pd.MultiIndex.from_tuples([("a", 1), ("a", 1), ("b", 2)], names=["u", "v"]),
            pd.DatetimeIndex(["2024-01-01"] * 3),
        ],
        ids=["equal", "text", "floats", "levels", "dates"],
    )
    def test_the_index_may_be_anything(
        self, zones: geopandas.GeoDataFrame, tif: str, index: pd.Index
    ) -> None:
        """Duplicates, gaps, several levels: it is kept as it is, and the numbers are right."""
        plain = zb.zonal_stats(zones, tif)
        found = zb.zonal_stats(zones.set_axis(index), tif)
        pd.testing.assert_index_equal(found.index, index)
        np.testing.assert_array_equal(found["mean"], plain["mean"])

    def test_columns(self, zones: geopandas.GeoDataFrame, tif: str) -> None:
        """Some, or none, of the zones' columns; an unknown one is named."""
        assert list(zb.zonal_stats(zones, tif, columns=["weight"])) == [
            "weight", "count", "mean", "geometry",
        ]  # fmt: skip
        assert list(zb.zonal_stats(zones, tif, columns=[])) == ["count", "mean", "geometry"]
        with pytest.raises(InputError, match="'wait'"):
            zb.zonal_stats(zones, tif, columns=["wait"])

    def test_prefix(self, zones: geopandas.GeoDataFrame, tif: str) -> None:
        """A column that is there already is never overwritten; a prefix helps."""
        zones = zones.rename(columns={"weight": "mean"})
        with pytest.raises(InputError, match=r"'mean'.*prefix"):
            zb.zonal_stats(zones, tif)
        found = zb.zonal_stats(zones, tif, prefix="s_")
        assert list(found) == ["name", "mean", "s_count", "s_mean", "geometry"]
        assert found["mean"].tolist() == [1.5, 2.5, 3.5]
        assert "mean" in zb.zonal_stats(zones, tif, columns=["name"])

    def test_without_geometry(self, zones: geopandas.GeoDataFrame, tif: str) -> None:
        """A plain frame with the same rows."""
        found = zb.zonal_stats(zones, tif, geometry=False)
        assert type(found) is pd.DataFrame
        whole = zb.zonal_stats(zones, tif)
        pd.testing.assert_frame_equal(found, pd.DataFrame(whole.drop(columns="geometry")))

    def test_another_name_for_the_geometry(self, zones: geopandas.GeoDataFrame, tif: str) -> None:
        """It is kept, and other columns of shapes travel along."""
        zones = zones.rename_geometry("outline").assign(point=zones.geometry.centroid)
        found = zb.zonal_stats(zones, tif)
        assert found.geometry.name == "outline"
        assert list(found) == ["name", "weight", "point", "count", "mean", "outline"]

    def test_long(self, zones: geopandas.GeoDataFrame, tif: str) -> None:
        """A row for each zone, measurement and statistic, in this order."""
        wide = zb.zonal_stats(zones, tif, ["count", "mean"])
        long = zb.zonal_stats(zones, tif, ["count", "mean"], layout="long")
        assert list(long)[-4:] == ["measurement", "statistic", "value", "geometry"]
        assert long["statistic"].tolist() == ["count", "mean"] * 3
        assert long.index.tolist() == [30, 30, 10, 10, 20, 20]
        np.testing.assert_array_equal(long["value"], wide[["count", "mean"]].to_numpy().ravel())

    def test_progress_changes_nothing(
        self, zones: geopandas.GeoDataFrame, tif: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A bar is shown, and the frame is the same; without it nothing is printed."""
        quiet = zb.zonal_stats(zones, tif)
        assert capsys.readouterr() == ("", "")
        pd.testing.assert_frame_equal(zb.zonal_stats(zones, tif, progress=True), quiet)


class TestRasters:
    """One raster or several, of whatever kind."""

    def test_several(
        self, zones: geopandas.GeoDataFrame, tif: str, values: NDArray[np.uint16], tmp_path: Path
    ) -> None:
        """A row for each zone and raster, zone by zone; `layer` is the file's stem."""
        other = write_tif(tmp_path / "other.tif", values * 2)
        found = zb.zonal_stats(zones, [tif, other])
        assert len(found) == 6
        assert found.index.tolist() == [30, 30, 10, 10, 20, 20]
        assert sorted(found["layer"].unique()) == ["other", "scene"]
        means = found.pivot(columns="layer", values="mean").loc[zones.index]
        np.testing.assert_allclose(means["other"], 2 * means["scene"])
        np.testing.assert_allclose(means["scene"], zb.zonal_stats(zones, tif)["mean"])

    def test_a_list_of_one(self, zones: geopandas.GeoDataFrame, tif: str) -> None:
        """It is one raster."""
        pd.testing.assert_frame_equal(zb.zonal_stats(zones, [tif]), zb.zonal_stats(zones, tif))
        pd.testing.assert_frame_equal(zb.zonal_stats(zones, Path(tif)), zb.zonal_stats(zones, tif))

    def test_dates_in_names(
        self, zones: geopandas.GeoDataFrame, values: NDArray[np.uint16], tmp_path: Path
    ) -> None:
        """With a datetime_pattern there is a column of UTC times, in order within a zone."""
        files = [write_tif(tmp_path / f"s_{date}.tif", values) for date in ("20240301", "20240102")]
        found = zb.zonal_stats(zones, files, datetime_pattern="%Y%m%d")
        assert found["layer"].tolist() == ["s_20240102", "s_20240301"] * 3
        assert found["datetime"].iloc[0] == datetime(2024, 1, 2, tzinfo=UTC)
        assert str(found["datetime"].dt.tz) == "UTC"

    def test_differing_grids(
        self, zones: geopandas.GeoDataFrame, tif: str, values: NDArray[np.uint16], tmp_path: Path
    ) -> None:
        """Each raster is measured on its own cells, also in another CRS or shifted by a part."""
        shifted = write_tif(
            tmp_path / "shifted.tif", values, transform=from_origin(LEFT - 5, TOP, 10, 10)
        )
        both = zb.zonal_stats(zones, [tif, shifted], NAMES)
        for path, name in ((tif, "scene"), (shifted, "shifted")):
            alone = zb.zonal_stats(zones, path, NAMES)
            layer = both[both["layer"] == name]
            np.testing.assert_array_equal(layer[NAMES], alone[NAMES])

    def test_several_bands(
        self, zones: geopandas.GeoDataFrame, values: NDArray[np.uint16], tmp_path: Path
    ) -> None:
        """Columns are {name}_{statistic}: the file's own names, or numbers."""
        cube = np.stack([values, values * 2, values * 3])
        plain = write_tif(tmp_path / "plain.tif", cube)
        named = write_tif(tmp_path / "named.tif", cube, descriptions=("red", "nir", "swir"))
        every = zb.zonal_stats(zones, plain, "mean", columns=[], geometry=False)
        assert list(every) == ["band_1_mean", "band_2_mean", "band_3_mean"]
        np.testing.assert_allclose(every["band_3_mean"], 3 * every["band_1_mean"])
        assert list(zb.zonal_stats(zones, named, "mean", columns=[], geometry=False)) == [
            "red_mean", "nir_mean", "swir_mean",
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("bands", "columns"),
        [
            (2, ["mean"]),
            ("nir", ["mean"]),
            ([3, 1], ["band_3_mean", "band_1_mean"]),
            (["swir", "red"], ["swir_mean", "red_mean"]),
            ({"a": 1, "b": "swir"}, ["a_mean", "b_mean"]),
            ({"a": {"index": 1}, "b": {"description": "swir"}}, ["a_mean", "b_mean"]),
        ],
        ids=["number", "name", "numbers", "names", "mapping", "keys"],
    )
    def test_bands(
        self,
        zones: geopandas.GeoDataFrame,
        values: NDArray[np.uint16],
        tmp_path: Path,
        bands: Any,
        columns: list[str],
    ) -> None:
        """A number, a name, a list of them, or names for them."""
        cube = np.stack([values, values * 2, values * 3])
        path = write_tif(tmp_path / "named.tif", cube, descriptions=("red", "nir", "swir"))
        found = zb.zonal_stats(zones, path, "mean", bands=bands, columns=[], geometry=False)
        assert list(found) == columns
        one = zb.zonal_stats(zones, path, "mean", bands=1)["mean"]
        factors = {"band_3": 3, "band_1": 1, "swir": 3, "red": 1, "a": 1, "b": 3}
        for column in columns:
            factor = factors.get(column.removesuffix("_mean"), 2)
            np.testing.assert_allclose(found[column], factor * one)

    def test_unknown_band(self, zones: geopandas.GeoDataFrame, tif: str) -> None:
        """Named, with those that are known."""
        with pytest.raises(InputError, match=r"7.*known are"):
            zb.zonal_stats(zones, tif, bands=7)

    def test_array(
        self, zones: geopandas.GeoDataFrame, tif: str, values: NDArray[np.uint16]
    ) -> None:
        """A DataArray, loaded or lazy or read by dask, is the file it was read from."""
        wanted = zb.zonal_stats(zones, tif, NAMES)
        every: tuple[dict[str, Any], ...] = ({}, {"chunks": {"x": 20, "y": 16}, "lock": False})
        for options in every:
            array: Any = rioxarray.open_rasterio(tif, **options)
            pd.testing.assert_frame_equal(zb.zonal_stats(zones, array, NAMES), wanted)
        array = rioxarray.open_rasterio(tif)
        flat = array.load().squeeze("band", drop=True)
        pd.testing.assert_frame_equal(zb.zonal_stats(zones, flat, NAMES), wanted)

    def test_dataset(
        self, zones: geopandas.GeoDataFrame, tif: str, values: NDArray[np.uint16]
    ) -> None:
        """Variables of a Dataset are bands; time steps are layers."""
        import xarray as xr

        array: Any = rioxarray.open_rasterio(tif)
        red = array.squeeze("band", drop=True).rename("red")
        data = xr.Dataset({"red": red, "nir": red * 2})
        found = zb.zonal_stats(zones, data, "mean")
        np.testing.assert_allclose(found["nir_mean"], 2 * found["red_mean"])
        times = pd.Index(pd.to_datetime(["2024-01-01", "2024-02-01"]), name="time")
        cube = xr.concat([red, red * 3], times)
        steps = zb.zonal_stats(zones, cube, "mean")
        assert len(steps) == 6
        assert steps["datetime"].nunique() == 2
        first, second = (steps[steps["datetime"] == f"2024-0{m}-01"]["mean"] for m in (1, 2))
        np.testing.assert_allclose(second, 3 * first)

    def test_items(self, zones: geopandas.GeoDataFrame, tif: str, tmp_path: Path) -> None:
        """STAC items, as a list of dicts or in a file; `layer` is the item's id."""
        items = [self.item("one", tif, "2024-01-01"), self.item("two", tif, "2024-02-01")]
        collection = {"type": "FeatureCollection", "features": items}
        (tmp_path / "items.json").write_text(json.dumps(collection))
        wanted = zb.zonal_stats(zones, tif, "mean")["mean"]
        for given in (items, collection, tmp_path / "items.json", str(tmp_path / "items.json")):
            found = zb.zonal_stats(zones, given, "mean")
            assert found["layer"].tolist() == ["one", "two"] * 3
            assert found["datetime"].iloc[1] == datetime(2024, 2, 1, tzinfo=UTC)
            for name in ("one", "two"):
                layer = found.loc[found["layer"] == name, "mean"]
                np.testing.assert_array_equal(layer, wanted)

    def test_pystac_items(self, zones: geopandas.GeoDataFrame, tif: str) -> None:
        """pystac's own, one or a collection."""
        import pystac

        items = [pystac.Item.from_dict(self.item(n, tif, "2024-01-01")) for n in ("one", "two")]
        several = zb.zonal_stats(zones, pystac.ItemCollection(items), "mean")
        pd.testing.assert_frame_equal(zb.zonal_stats(zones, items, "mean"), several)
        one = zb.zonal_stats(zones, items[0], "mean")
        np.testing.assert_array_equal(one["mean"], zb.zonal_stats(zones, tif, "mean")["mean"])

    @staticmethod
    def item(name: str, href: str, date: str) -> dict[str, Any]:
        """A STAC item with one asset."""
        return {
            "type": "Feature", "stac_version": "1.0.0", "id": name, "links": [],
            "stac_extensions": [], "geometry": None,
            "properties": {"datetime": f"{date}T00:00:00Z", "proj:epsg": 32631},
            "assets": {
                "data": {
                    "href": href, "proj:shape": [40, 50],
                    "proj:transform": [10.0, 0.0, LEFT, 0.0, -10.0, TOP],
                }
            },
        }  # fmt: skip

    def test_an_item_that_is_wrong_about_its_file(
        self, zones: geopandas.GeoDataFrame, tif: str
    ) -> None:
        """The file is believed."""
        item = self.item("one", tif, "2024-01-01")
        item["assets"]["data"]["proj:transform"][2] += 70
        found = zb.zonal_stats(zones, [item], NAMES)
        np.testing.assert_array_equal(found[NAMES], zb.zonal_stats(zones, tif, NAMES)[NAMES])

    def test_missing(self, zones: geopandas.GeoDataFrame, tmp_path: Path) -> None:
        """A path to nothing, and an empty list."""
        with pytest.raises(SourceError, match=r"nope\.tif"):
            zb.zonal_stats(zones, str(tmp_path / "nope.tif"))
        with pytest.raises(InputError):
            zb.zonal_stats(zones, [])

    def test_unreadable(self, zones: geopandas.GeoDataFrame, tif: str, tmp_path: Path) -> None:
        """There is no place for a failure in the frame: it is raised, alone or among others."""
        (tmp_path / "empty.tif").write_bytes(b"")
        for rasters in ([str(tmp_path / "empty.tif")], [tif, str(tmp_path / "empty.tif")]):
            with pytest.raises((SourceError, PermanentReadError), match=r"empty\.tif"):
                zb.zonal_stats(zones, rasters)


class TestValidity:
    """Which cells count."""

    def test_nodata_of_the_file_and_of_the_user(
        self, zones: geopandas.GeoDataFrame, values: NDArray[np.uint16], tmp_path: Path
    ) -> None:
        """The file's tag, a value in its place, or none at all; for named bands too."""
        values[0, 0], values[1, 1] = 0, 777
        path = write_tif(tmp_path / "holes.tif", values, nodata=0)
        cells = values[0:4, 0:4]
        rules: list[tuple[Any, Any]] = [
            (None, cells != 0), (777, cells != 777), ("none", cells >= 0),
        ]  # fmt: skip
        for nodata, left_out in rules:
            for bands in (None, 1):
                row = zb.zonal_stats(
                    zones, path, "count,mean,n_nodata", nodata=nodata, bands=bands
                ).loc[10]
                assert row["count"] == left_out.sum()
                assert row["n_nodata"] == 16 - left_out.sum()
                assert row["mean"] == pytest.approx(cells[left_out].mean(), rel=1e-12)

    def test_nothing_valid(self, zones: geopandas.GeoDataFrame, tmp_path: Path) -> None:
        """Counts are 0 and statistics null."""
        path = write_tif(tmp_path / "nothing.tif", np.zeros((40, 50), "uint8"), nodata=0)
        found = zb.zonal_stats(zones, path, NAMES)
        assert found["count"].tolist() == [0, 0, 0]
        assert found[["mean", "min", "max", "sum", "std", "median"]].isna().all(axis=None)
        assert found["n_total"].tolist() == [30, 16, 1]

    def test_outside(self, tif: str) -> None:
        """Zones beside the raster have a row, with count 0 and nulls; all their cells outside."""
        zones = geopandas.GeoDataFrame(
            {"name": ["far", "over", "empty", "none"]},
            geometry=[box(100, 100, 2, 3), box(-2, 0, 4, 4), shapely.Polygon(), None],
            crs=CRS,
        )
        found = zb.zonal_stats(zones, tif, NAMES)
        assert found["name"].tolist() == ["far", "over", "empty", "none"]
        assert found["count"].tolist() == [0, 8, 0, 0]
        assert found["n_outside"].tolist() == [6, 8, 0, 0]
        assert found["n_total"].tolist() == [6, 16, 0, 0]
        alone = found.loc[[0, 2, 3], ["mean", "min", "max", "sum", "std", "median"]]
        assert alone.isna().all(axis=None)

    def test_all_zones_outside(self, tif: str) -> None:
        """Even if none meets the raster."""
        zones = geopandas.GeoDataFrame(geometry=[box(100, 100, 2, 3)] * 2, crs=CRS)
        found = zb.zonal_stats(zones, tif, NAMES)
        assert found["count"].tolist() == [0, 0]
        assert found["mean"].isna().all()

    def test_scale_and_offset(
        self, zones: geopandas.GeoDataFrame, values: NDArray[np.uint16], tmp_path: Path
    ) -> None:
        """The file's are applied by default; `none` leaves them, a pair stands in their place."""
        path = write_tif(tmp_path / "scaled.tif", values, scale=0.5, offset=-3.0)
        raw = values[0:4, 0:4].mean()
        for rule, mean in (
            ("auto", raw * 0.5 - 3), ("file", raw * 0.5 - 3), ("none", raw), ("item", raw),
            ((2.0, 1.0), raw * 2 + 1),
        ):  # fmt: skip
            found = zb.zonal_stats(zones, path, "mean", scale_offset=rule)  # type: ignore[arg-type]
            assert found.loc[10, "mean"] == pytest.approx(mean, rel=1e-12), rule

    def test_measurements_and_mask(
        self, zones: geopandas.GeoDataFrame, values: NDArray[np.uint16], tmp_path: Path
    ) -> None:
        """Expressions over bands, cells left out by the classes of another band."""
        classes = (values % 5).astype("uint16")
        cube = np.stack([values, values[::-1], classes])
        path = write_tif(tmp_path / "bands.tif", cube, descriptions=("red", "nir", "scl"))
        found = zb.zonal_stats(
            zones, path, "count,mean,n_masked",
            measurements={"ndvi": "(nir - red) / (nir + red)"},
            mask={"band": "scl", "exclude": [0, 3]},
        ).loc[10]  # fmt: skip
        red, nir, scl = cube[:, 0:4, 0:4].astype(float)
        clear = ~np.isin(scl, (0, 3))
        assert found["ndvi_count"] == clear.sum()
        assert found["ndvi_n_masked"] == 16 - clear.sum()
        ndvi = ((nir - red) / (nir + red))[clear].mean()
        assert found["ndvi_mean"] == pytest.approx(ndvi, rel=1e-12)
        kept = zb.zonal_stats(zones, path, "count", mask={"band": "scl", "include": [1, 2, 4]})
        assert kept.loc[10, "red_count"] == clear.sum()
        assert "scl_count" not in kept

    @pytest.mark.parametrize(
        "mask",
        [{"band": "scl"}, {"exclude": [1]}, {"band": "sky", "exclude": [1]},
         {"band": "scl", "exclude": [1], "include": [2]}, {"band": "scl", "exlude": [1]}],
    )  # fmt: skip
    def test_bad_mask(
        self, zones: geopandas.GeoDataFrame, tmp_path: Path, mask: dict[str, Any]
    ) -> None:
        """Named, with what is wanted."""
        cube = np.ones((2, 40, 50), "uint8")
        path = write_tif(tmp_path / "bands.tif", cube, descriptions=("red", "scl"))
        with pytest.raises(InputError, match="mask"):
            zb.zonal_stats(zones, path, mask=mask)

    def test_bands_in_several_files(
        self, zones: geopandas.GeoDataFrame, values: NDArray[np.uint16], tmp_path: Path
    ) -> None:
        """Of a Dataset or of items; a band of half the resolution nests exactly."""
        fine = write_tif(tmp_path / "fine.tif", values)
        coarse = write_tif(
            tmp_path / "coarse.tif", values[::2, ::2], transform=from_origin(LEFT, TOP, 20, 20)
        )
        item = TestRasters.item("one", fine, "2024-01-01")
        item["assets"]["half"] = {
            "href": coarse, "proj:shape": [20, 25],
            "proj:transform": [20.0, 0.0, LEFT, 0.0, -20.0, TOP],
        }  # fmt: skip
        found = zb.zonal_stats(zones, [item], "mean,count", measurements={"sum": "data + half"})
        wide = values.astype(float) + values[::2, ::2].repeat(2, axis=0).repeat(2, axis=1)
        means = [wide[window].mean() for window in WINDOWS]
        np.testing.assert_allclose(found["sum_mean"], means, rtol=1e-12)


class TestCoverage:
    """How zones take their cells."""

    @pytest.mark.parametrize(
        ("coverage", "count"), [("fraction", 2.0), ("center", 2.0), ("all_touched", 3.0)]
    )
    def test_rules(self, tif: str, values: NDArray[np.uint16], coverage: Any, count: float) -> None:
        """A zone two cells wide that is shifted by a quarter of one."""
        zones = geopandas.GeoDataFrame(geometry=[box(3, 4, 1, 2, shift=0.25)], crs=CRS)
        row = zb.zonal_stats(zones, tif, "count,mean", coverage=coverage).iloc[0]
        weights: dict[str, list[float]] = {
            "fraction": [0.75, 1, 0.25],
            "center": [1, 1, 0],
            "all_touched": [1, 1, 1],
        }
        assert row["count"] == pytest.approx(count, rel=1e-12)
        mean = np.average(values[3, 4:7], weights=weights[coverage])
        assert row["mean"] == pytest.approx(mean, rel=1e-12)

    def test_a_zone_smaller_than_a_cell(self, tif: str, values: NDArray[np.uint16]) -> None:
        """It is never lost under `fraction`."""
        shape = shapely.box(LEFT + 42, TOP - 37, LEFT + 43, TOP - 36)
        zones = geopandas.GeoDataFrame(geometry=[shape], crs=CRS)
        row = zb.zonal_stats(zones, tif, "count,mean").iloc[0]
        assert row["count"] == pytest.approx(0.01, rel=1e-9)
        assert row["mean"] == values[3, 4]

    def test_unknown_rule(self, zones: geopandas.GeoDataFrame, tif: str) -> None:
        """Named, with those that are known."""
        with pytest.raises(InputError, match="all_touched"):
            zb.zonal_stats(zones, tif, coverage="centre")  # type: ignore[arg-type]

    def test_unknown_statistic(self, zones: geopandas.GeoDataFrame, tif: str) -> None:
        """Named, with the nearest one."""
        with pytest.raises(StatisticError, match="did you mean 'mean'"):
            zb.zonal_stats(zones, tif, ["meen"])


class TestZones:
    """Zones of whatever kind."""

    @pytest.mark.parametrize("ending", ["parquet", "gpkg", "geojson", "shp"])
    def test_paths(
        self, zones: geopandas.GeoDataFrame, tif: str, tmp_path: Path, ending: str
    ) -> None:
        """A file gives what its frame gives, in its order, with its columns."""
        path = tmp_path / f"zones.{ending}"
        plain = zones.reset_index(drop=True)
        plain.to_parquet(path) if ending == "parquet" else plain.to_file(path)
        wanted = zb.zonal_stats(plain, tif, NAMES)
        for given in (path, str(path)):
            found = zb.zonal_stats(given, tif, NAMES)
            assert found["name"].tolist() == ["c", "a", "b"]
            np.testing.assert_allclose(found[NAMES], wanted[NAMES], rtol=1e-9)
            assert list(found) == list(wanted)
        by_id = zb.zonal_stats(path, tif, id="name", columns=["weight"])
        assert by_id.index.tolist() == ["c", "a", "b"]
        assert list(by_id) == ["weight", "count", "mean", "geometry"]

    def test_another_crs(self, zones: geopandas.GeoDataFrame, tif: str) -> None:
        """Zones are projected to the raster, edges bent as they are: 1e-3 of a cell here."""
        here = zb.zonal_stats(zones, tif, "count,n_total")
        there = zb.zonal_stats(zones.to_crs("EPSG:4326"), tif, "count,n_total")
        assert there.crs == "EPSG:4326"
        np.testing.assert_allclose(there["count"], here["count"], atol=1e-3)

    def test_no_crs(self, zones: geopandas.GeoDataFrame, tif: str) -> None:
        """Refused: nobody knows where they lie."""
        with pytest.raises(InputError, match="no CRS"):
            zb.zonal_stats(zones.set_crs(None, allow_override=True), tif)

    def test_invalid_and_oppositely_wound(self, tif: str) -> None:
        """Crossed rings count as make_valid has them; parts wound apart do not cancel."""
        bow = shapely.Polygon(
            [(LEFT, TOP), (LEFT + 40, TOP - 40), (LEFT + 40, TOP), (LEFT, TOP - 40)]
        )
        one, two = box(0, 0, 2, 2), shapely.reverse(box(4, 4, 2, 2))
        assert one.exterior.is_ccw != two.exterior.is_ccw
        wound = shapely.MultiPolygon([one, two])
        zones = geopandas.GeoDataFrame(geometry=[bow, wound], crs=CRS)
        found = zb.zonal_stats(zones, tif, "n_total")
        assert found["n_total"].tolist() == pytest.approx([8.0, 8.0], rel=1e-12)

    def test_overlaps(self, tif: str) -> None:
        """Each zone is computed by itself."""
        zones = geopandas.GeoDataFrame(geometry=[box(0, 0, 4, 4)] * 3 + [box(2, 2, 4, 4)], crs=CRS)
        found = zb.zonal_stats(zones, tif, "count,mean")
        assert found["count"].tolist() == [16] * 4
        assert found["mean"].nunique() == 2

    def test_no_zones(self, zones: geopandas.GeoDataFrame, tif: str) -> None:
        """Refused in a sentence."""
        with pytest.raises(InputError, match="no zones"):
            zb.zonal_stats(zones.iloc[:0], tif)

    @pytest.mark.parametrize("what", ["text", 5, None, [box(0, 0, 1, 1)]])
    def test_no_frame(self, tif: str, what: Any) -> None:
        """What is no frame and no path to one."""
        with pytest.raises(InputError):
            zb.zonal_stats(what, tif)

    def test_points(self, zones: geopandas.GeoDataFrame, tif: str) -> None:
        """Points and lines are not polygons, and are said so."""
        with pytest.raises(InputError, match="Point"):
            zb.zonal_stats(zones.set_geometry(zones.geometry.centroid), tif)

    def test_dask_zones(self, zones: geopandas.GeoDataFrame, tif: str) -> None:
        """A dask_geopandas frame is the frame that it computes."""
        import dask_geopandas

        whole = zones.sort_index()
        lazy = dask_geopandas.from_geopandas(whole, npartitions=2)
        pd.testing.assert_frame_equal(
            zb.zonal_stats(lazy, tif), zb.zonal_stats(whole, tif), check_dtype=False
        )
