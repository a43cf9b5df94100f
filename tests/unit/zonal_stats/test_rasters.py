"""zb.zonal_stats: one raster or several, of whatever kind."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import pytest
import rioxarray
from numpy.typing import NDArray

import zonalbatch as zb
from tests.made.names import USUAL
from tests.made.places import LEFT
from tests.made.rasters import write_tif
from tests.made.scenes import asset, collection, item, write_items
from zonalbatch.errors import InputError, PermanentReadError, SourceError


def items_of(href: str) -> list[dict[str, Any]]:
    """Two items of one file, a month apart."""
    dates = {"one": "2024-01-01", "two": "2024-02-01"}
    return [item(name, date=date, data=asset(href, (40, 50))) for name, date in dates.items()]


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
        """A list of one raster is that raster, and a Path is the text of it."""
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
        shifted = write_tif(tmp_path / "shifted.tif", values, left=LEFT - 5)
        both = zb.zonal_stats(zones, [tif, shifted], USUAL)
        for path, name in ((tif, "scene"), (shifted, "shifted")):
            alone = zb.zonal_stats(zones, path, USUAL)
            layer = both[both["layer"] == name]
            np.testing.assert_array_equal(layer[USUAL], alone[USUAL])

    def test_several_bands(
        self, zones: geopandas.GeoDataFrame, values: NDArray[np.uint16], tmp_path: Path
    ) -> None:
        """Columns are {name}_{statistic}: the file's own names, or numbers."""
        cube = np.stack([values, values * 2, values * 3])
        plain = write_tif(tmp_path / "plain.tif", cube)
        named = write_tif(tmp_path / "named.tif", cube, names=("red", "nir", "swir"))
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
        """Bands are a number, a name, a list of them, or names for them."""
        cube = np.stack([values, values * 2, values * 3])
        path = write_tif(tmp_path / "named.tif", cube, names=("red", "nir", "swir"))
        found = zb.zonal_stats(zones, path, "mean", bands=bands, columns=[], geometry=False)
        assert list(found) == columns
        one = zb.zonal_stats(zones, path, "mean", bands=1)["mean"]
        factors = {"band_3": 3, "band_1": 1, "swir": 3, "red": 1, "a": 1, "b": 3}
        for column in columns:
            factor = factors.get(column.removesuffix("_mean"), 2)
            np.testing.assert_allclose(found[column], factor * one)

    def test_unknown_band(self, zones: geopandas.GeoDataFrame, tif: str) -> None:
        """An unknown band is named, with those that are known."""
        with pytest.raises(InputError, match=r"7.*known are"):
            zb.zonal_stats(zones, tif, bands=7)

    def test_array(
        self, zones: geopandas.GeoDataFrame, tif: str, values: NDArray[np.uint16]
    ) -> None:
        """A DataArray, loaded or lazy or read by dask, is the file it was read from."""
        wanted = zb.zonal_stats(zones, tif, USUAL)
        every: tuple[dict[str, Any], ...] = ({}, {"chunks": {"x": 20, "y": 16}, "lock": False})
        for options in every:
            array: Any = rioxarray.open_rasterio(tif, **options)
            pd.testing.assert_frame_equal(zb.zonal_stats(zones, array, USUAL), wanted)
        array = rioxarray.open_rasterio(tif)
        flat = array.load().squeeze("band", drop=True)
        pd.testing.assert_frame_equal(zb.zonal_stats(zones, flat, USUAL), wanted)

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
        items = items_of(tif)
        path = write_items(tmp_path / "items.json", items)
        wanted = zb.zonal_stats(zones, tif, "mean")["mean"]
        for given in (items, collection(items), Path(path), path):
            found = zb.zonal_stats(zones, given, "mean")
            assert found["layer"].tolist() == ["one", "two"] * 3
            assert found["datetime"].iloc[1] == datetime(2024, 2, 1, tzinfo=UTC)
            for name in ("one", "two"):
                layer = found.loc[found["layer"] == name, "mean"]
                np.testing.assert_array_equal(layer, wanted)

    def test_pystac_items(self, zones: geopandas.GeoDataFrame, tif: str) -> None:
        """Items of pystac do as well: one, a list or a collection."""
        import pystac

        items = [pystac.Item.from_dict(one) for one in items_of(tif)]
        several = zb.zonal_stats(zones, pystac.ItemCollection(items), "mean")
        pd.testing.assert_frame_equal(zb.zonal_stats(zones, items, "mean"), several)
        one = zb.zonal_stats(zones, items[0], "mean")
        np.testing.assert_array_equal(one["mean"], zb.zonal_stats(zones, tif, "mean")["mean"])

    def test_an_item_that_is_wrong_about_its_file(
        self, zones: geopandas.GeoDataFrame, tif: str
    ) -> None:
        """Where an item is wrong about its file, the file is believed."""
        wrong = item("one", data=asset(tif, (40, 50), left=LEFT + 70))
        found = zb.zonal_stats(zones, [wrong], USUAL)
        np.testing.assert_array_equal(found[USUAL], zb.zonal_stats(zones, tif, USUAL)[USUAL])

    def test_missing(self, zones: geopandas.GeoDataFrame, tmp_path: Path) -> None:
        """A path to nothing and an empty list are refused."""
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
