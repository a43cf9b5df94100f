"""zonal_stats with weights: what may be given, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pytest
import rasterio
import rioxarray
import shapely
from numpy.typing import NDArray

import zonalbatch as zb
from tests.made.rasters import BLOCKS, noise, spoil, write_tif
from tests.made.zones import WINDOWS
from zonalbatch.errors import InputError, ReadError, SourceError, StatisticError

STATS = "count,mean,weighted_sum,weighted_mean,weighted_frac"


@pytest.fixture
def weights(tmp_path: Path) -> str:
    """Two bands of weights on the raster's grid: 0.5 to 50, and 1 everywhere; 0 is nodata."""
    band = (noise(40, 50, seed=4) % 100).astype("uint8")
    cube = np.stack([band, np.full_like(band, 2)])
    return write_tif(tmp_path / "pop.tif", cube, names=("pop", "ones"), scale=0.5, nodata=0)


def test_a_file(
    zones: geopandas.GeoDataFrame, tif: str, weights: str, values: NDArray[np.uint16]
) -> None:
    """A path weighs by its first band, scaled, without nodata; other statistics stay."""
    found = zb.zonal_stats(zones, tif, STATS, weights=weights)
    plain = zb.zonal_stats(zones, tif, "count,mean")
    assert (found[["count", "mean"]] == plain[["count", "mean"]]).all(axis=None)
    with rasterio.open(weights) as file:
        weight = np.where(file.read(1) == 0, np.nan, file.read(1) * 0.5)
    for here, (_, row) in zip(WINDOWS, found.iterrows(), strict=True):
        v, w = values[here].astype(float), weight[here]
        good = np.isfinite(w)
        assert row["weighted_sum"] == pytest.approx((v * w)[good].sum())
        assert row["weighted_mean"] == pytest.approx((v * w)[good].sum() / w[good].sum())


def test_an_array_and_a_band(zones: geopandas.GeoDataFrame, tif: str, weights: str) -> None:
    """A DataArray is the file it was read from; a mapping names the band and its nodata."""
    expected = zb.zonal_stats(zones, tif, STATS, weights=weights)
    cube: Any = rioxarray.open_rasterio(weights)
    array = cube.isel(band=0)
    for one in (array, array.chunk({"x": 16}), {"path": weights, "band": "pop"}):
        found = zb.zonal_stats(zones, tif, STATS, weights=one)
        assert found["weighted_mean"].tolist() == expected["weighted_mean"].tolist()
    raster: Any = rioxarray.open_rasterio(tif)
    raster = raster.squeeze().rename("weights")
    found = zb.zonal_stats(zones, raster, STATS, weights=array)
    assert found["weighted_sum"].tolist() == expected["weighted_sum"].tolist()
    even = zb.zonal_stats(zones, tif, STATS, weights={"path": weights, "band": 2})
    assert even["weighted_mean"].to_numpy() == pytest.approx(even["mean"].to_numpy(), rel=1e-12)
    none = zb.zonal_stats(
        zones, tif, STATS, weights={"path": weights, "band": {"asset": "ones", "nodata": 2}}
    )
    assert none["weighted_sum"].isna().all()
    assert [len(listed) for listed in none["weighted_frac"]] == [0, 0, 0]


def test_several_rasters(
    zones: geopandas.GeoDataFrame, tif: str, weights: str, tmp_path: Path
) -> None:
    """All rasters have the same weights."""
    other = write_tif(tmp_path / "other.tif", noise(40, 50, seed=9))
    found = zb.zonal_stats(zones, [tif, other], STATS, weights=weights)
    alone = zb.zonal_stats(zones, other, STATS, weights=weights)
    told = found.loc[found["layer"] == "other", "weighted_mean"]
    assert told.tolist() == alone["weighted_mean"].tolist()


class TestRefused:
    """What cannot be is said in one sentence, before a pixel is read."""

    def test_one_without_the_other(
        self, zones: geopandas.GeoDataFrame, tif: str, weights: str
    ) -> None:
        """Weighted statistics need weights, and weights need them."""
        with pytest.raises(StatisticError, match=r"'weighted_mean' needs weights; give a raster"):
            zb.zonal_stats(zones, tif, "mean,weighted_mean")
        with pytest.raises(StatisticError, match=r"no statistic uses them; ask for weighted_mean"):
            zb.zonal_stats(zones, tif, "mean", weights=weights)

    def test_another_crs(self, zones: geopandas.GeoDataFrame, tif: str, tmp_path: Path) -> None:
        """Weights are not warped without being asked: the command that does it is told."""
        far = write_tif(tmp_path / "w.tif", noise(9, 9), crs="EPSG:32632")
        with pytest.raises(SourceError, match=r"are in EPSG:32632.*gdalwarp -t_srs \S+ -tr 10 10"):
            zb.zonal_stats(zones, tif, STATS, weights=far)

    @pytest.mark.parametrize(
        "given", [3, np.ones((2, 2)), {"band": 1}, ["a.tif", "b.tif"], {"path": "a", "nodata": 1}]
    )
    def test_no_raster(self, zones: geopandas.GeoDataFrame, tif: str, given: Any) -> None:
        """What is no raster is told by its looks."""
        with pytest.raises(InputError, match="give a path or URL, a DataArray"):
            zb.zonal_stats(zones, tif, STATS, weights=given)

    def test_missing(
        self, zones: geopandas.GeoDataFrame, tif: str, weights: str, tmp_path: Path
    ) -> None:
        """A file or a band that does not exist, or a glob of several files."""
        with pytest.raises(SourceError, match="does not exist"):
            zb.zonal_stats(zones, tif, STATS, weights="nowhere.tif")
        with pytest.raises(SourceError, match=r"known are pop, ones"):
            zb.zonal_stats(zones, tif, STATS, weights={"path": weights, "band": "people"})
        with pytest.raises(SourceError, match="weights are one raster for all layers"):
            zb.zonal_stats(zones, tif, STATS, weights=str(tmp_path / "*.tif"))

    def test_weight_by(self, zones: geopandas.GeoDataFrame, tif: str) -> None:
        """There are two ways to weigh averages."""
        with pytest.raises(InputError, match=r"weight_by='cells' is unknown; use fraction, area"):
            zb.zonal_stats(zones, tif, weight_by="cells")  # type: ignore[arg-type]

    def test_unreadable(self, zones: geopandas.GeoDataFrame, tif: str, tmp_path: Path) -> None:
        """Weights that cannot be read raise here and now."""
        broken = write_tif(tmp_path / "w.tif", noise(40, 50), **BLOCKS)
        spoil(broken, (0, 0), (0, 1))
        with pytest.raises(ReadError):
            zb.zonal_stats(zones, tif, STATS, weights=broken)


def test_area_on_a_grid_in_degrees(tmp_path: Path) -> None:
    """Half of the cells in the north count less than those in the south."""
    values = np.repeat([[1.0], [3.0]], 4, axis=1)
    tif = write_tif(
        tmp_path / "d.tif", values, left=0, top=80, cell=20, crs="EPSG:4326"
    )  # fmt: skip
    zone = geopandas.GeoDataFrame(geometry=[shapely.box(0, 40, 80, 80)], crs="EPSG:4326")
    plain = zb.zonal_stats(zone, tif, "count,sum,mean").iloc[0]
    found = zb.zonal_stats(zone, tif, "count,sum,mean", weight_by="area").iloc[0]
    assert (plain["mean"], found["count"], found["sum"]) == (2, plain["count"], plain["sum"])
    assert found["mean"] == pytest.approx(2.296, abs=0.01)
