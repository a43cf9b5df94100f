"""zb.zonal_stats: what comes out, index, order, columns."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

import zonalbatch as zb
from tests.made.names import USUAL
from tests.made.rasters import write_tif
from tests.made.zones import WINDOWS
from zonalbatch.errors import InputError


class TestSurface:
    """Names and defaults are a contract."""

    def test_signature(self) -> None:
        """Names, kinds and defaults of the parameters are those of the contract."""
        parameters = inspect.signature(zb.zonal_stats).parameters
        assert list(parameters) == [
            "zones", "raster", "stats", "bands", "measurements", "mask", "id", "columns", "prefix",
            "coverage", "weights", "nodata", "scale_offset", "group_by", "datetime_pattern",
            "layout", "geometry", "progress",
            "resolution", "min_fraction", "default_value", "weight_by", "classes", "edges",
            "bins", "quantile_method", "zone_band", "sign", "trusted",  # beyond the contract
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

    def test_unknown_groups_are_refused(self, zones: geopandas.GeoDataFrame, tif: str) -> None:
        """The known ones are named."""
        with pytest.raises(InputError, match="item, datetime, solar_day or all"):
            zb.zonal_stats(zones, tif, group_by="date")  # type: ignore[arg-type]


class TestFrame:
    """What comes out: index, order, columns."""

    def test_numbers(
        self, zones: geopandas.GeoDataFrame, tif: str, values: NDArray[np.uint16]
    ) -> None:
        """Figures of zones on edges of cells are those of the cells, by numpy."""
        found = zb.zonal_stats(zones, tif, USUAL)
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
        """Statistics are count and mean; text names several, aliases are understood."""
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
        """Some, or none, of the zones' columns are carried; an unknown one is named."""
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

    @pytest.mark.parametrize(
        ("name", "layout"), [("layer", "wide"), ("datetime", "wide"), ("statistic", "long")]
    )
    def test_columns_of_ours(
        self,
        zones: geopandas.GeoDataFrame,
        tmp_path: Path,
        values: NDArray[np.uint16],
        name: str,
        layout: Any,
    ) -> None:
        """A zones' column that rows of several rasters need is refused, or may stay behind."""
        files = [write_tif(tmp_path / f"a_2024010{day}.tif", values) for day in (1, 2)]
        zones = zones.rename(columns={"weight": name})
        given: dict[str, Any] = {"datetime_pattern": "%Y%m%d", "layout": layout}
        with pytest.raises(InputError, match=rf"'{name}' already; rename it, or name the columns"):
            zb.zonal_stats(zones, files, **given)
        found = zb.zonal_stats(zones, files, columns=["name"], **given)
        assert name in found
        if layout == "wide":
            kept = zb.zonal_stats(zones, files[0], **given)
            assert kept[name].tolist() == [1.5, 2.5, 3.5]

    def test_prefix_of_long_rows(self, zones: geopandas.GeoDataFrame, tif: str) -> None:
        """In the long form a prefix stands before the measurements."""
        long = zb.zonal_stats(zones, tif, "mean", layout="long", prefix="s2_")
        assert long["measurement"].tolist() == ["s2_band_1"] * 3
        assert long["statistic"].tolist() == ["mean"] * 3

    def test_without_geometry(self, zones: geopandas.GeoDataFrame, tif: str) -> None:
        """Without geometry it is a plain frame with the same rows."""
        found = zb.zonal_stats(zones, tif, geometry=False)
        assert type(found) is pd.DataFrame
        whole = zb.zonal_stats(zones, tif)
        pd.testing.assert_frame_equal(found, pd.DataFrame(whole.drop(columns="geometry")))

    def test_another_name_for_the_geometry(self, zones: geopandas.GeoDataFrame, tif: str) -> None:
        """The geometry's name is kept, and other columns of shapes travel along."""
        zones = zones.rename_geometry("outline").assign(point=zones.geometry.centroid)
        found = zb.zonal_stats(zones, tif)
        assert found.geometry.name == "outline"
        assert list(found) == ["name", "weight", "point", "count", "mean", "outline"]

    def test_long(self, zones: geopandas.GeoDataFrame, tif: str) -> None:
        """The long form has a row for each zone, measurement and statistic, in this order."""
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
