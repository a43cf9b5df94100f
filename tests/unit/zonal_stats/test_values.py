"""zb.zonal_stats: which cells count, and how much."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pytest
import shapely
from numpy.typing import NDArray

import zonalbatch as zb
from tests.made.names import USUAL
from tests.made.places import LEFT, TOP
from tests.made.rasters import write_tif
from tests.made.scenes import asset, item
from tests.made.zones import WINDOWS, cells, frame
from zonalbatch.errors import InputError, StatisticError, ZonalbatchWarning


class TestValidity:
    """Which cells count."""

    def test_nodata_of_the_file_and_of_the_user(
        self, zones: geopandas.GeoDataFrame, values: NDArray[np.uint16], tmp_path: Path
    ) -> None:
        """Nodata is the file's tag, a value in its place, or none; for named bands too."""
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
        """Where nothing is valid, counts are 0 and statistics null."""
        path = write_tif(tmp_path / "nothing.tif", np.zeros((40, 50), "uint8"), nodata=0)
        found = zb.zonal_stats(zones, path, USUAL)
        assert found["count"].tolist() == [0, 0, 0]
        assert found[["mean", "min", "max", "sum", "std", "median"]].isna().all(axis=None)
        assert found["n_total"].tolist() == [30, 16, 1]

    def test_outside(self, tif: str) -> None:
        """Zones beside the raster have a row, with count 0 and nulls; all their cells outside."""
        zones = frame(
            cells(100, 100, 2, 3), cells(-2, 0, 4, 4), shapely.Polygon(), None,
            name=["far", "over", "empty", "none"],
        )  # fmt: skip
        found = zb.zonal_stats(zones, tif, USUAL)
        assert found["name"].tolist() == ["far", "over", "empty", "none"]
        assert found["count"].tolist() == [0, 8, 0, 0]
        assert found["n_outside"].tolist() == [6, 8, 0, 0]
        assert found["n_total"].tolist() == [6, 16, 0, 0]
        alone = found.loc[[0, 2, 3], ["mean", "min", "max", "sum", "std", "median"]]
        assert alone.isna().all(axis=None)

    def test_all_zones_outside(self, tif: str) -> None:
        """Zones have their rows even if none of them meets the raster, and a warning says so."""
        zones = frame(*[cells(100, 100, 2, 3)] * 2)
        with pytest.warns(ZonalbatchWarning, match="no zone takes a cell of any raster") as warned:
            found = zb.zonal_stats(zones, tif, USUAL)
        assert warned[0].filename == __file__
        assert found["count"].tolist() == [0, 0]
        assert found["mean"].isna().all()

    def test_scale_and_offset(
        self, zones: geopandas.GeoDataFrame, values: NDArray[np.uint16], tmp_path: Path
    ) -> None:
        """The file's scale and offset are applied by default; `none` and a pair say otherwise."""
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
        path = write_tif(tmp_path / "bands.tif", cube, names=("red", "nir", "scl"))
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
        """A mask that cannot be used is named, with what is wanted."""
        cube = np.ones((2, 40, 50), "uint8")
        path = write_tif(tmp_path / "bands.tif", cube, names=("red", "scl"))
        with pytest.raises(InputError, match="mask"):
            zb.zonal_stats(zones, path, mask=mask)

    def test_bands_in_several_files(
        self, zones: geopandas.GeoDataFrame, values: NDArray[np.uint16], tmp_path: Path
    ) -> None:
        """Bands may lie in several files; one of half the resolution nests exactly."""
        fine = write_tif(tmp_path / "fine.tif", values)
        coarse = write_tif(tmp_path / "coarse.tif", values[::2, ::2], cell=20.0)
        one = item("one", data=asset(fine, (40, 50)), half=asset(coarse, (20, 25), cell=20.0))
        found = zb.zonal_stats(zones, [one], "mean,count", measurements={"sum": "data + half"})
        wide = values.astype(float) + values[::2, ::2].repeat(2, axis=0).repeat(2, axis=1)
        means = [wide[window].mean() for window in WINDOWS]
        np.testing.assert_allclose(found["sum_mean"], means, rtol=1e-12)


class TestCoverage:
    """How zones take their cells."""

    @pytest.mark.parametrize(
        ("coverage", "count"), [("fraction", 2.0), ("center", 2.0), ("all_touched", 3.0)]
    )
    def test_rules(self, tif: str, values: NDArray[np.uint16], coverage: Any, count: float) -> None:
        """A zone two cells wide, a quarter of a cell to the east, takes its cells by the rule."""
        zones = frame(cells(3, 4, 1, 2, shift=0.25))
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
        """A zone smaller than a cell is never lost under `fraction`."""
        shape = shapely.box(LEFT + 42, TOP - 37, LEFT + 43, TOP - 36)
        zones = frame(shape)
        row = zb.zonal_stats(zones, tif, "count,mean").iloc[0]
        assert row["count"] == pytest.approx(0.01, rel=1e-9)
        assert row["mean"] == values[3, 4]

    def test_unknown_rule(self, zones: geopandas.GeoDataFrame, tif: str) -> None:
        """An unknown rule is named, with those that are known."""
        with pytest.raises(InputError, match="all_touched"):
            zb.zonal_stats(zones, tif, coverage="centre")  # type: ignore[arg-type]

    def test_unknown_statistic(self, zones: geopandas.GeoDataFrame, tif: str) -> None:
        """An unknown statistic is named, with the nearest one."""
        with pytest.raises(StatisticError, match="did you mean 'mean'"):
            zb.zonal_stats(zones, tif, ["meen"])
