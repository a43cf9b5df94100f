"""`compare`: this engine beside other tools."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from tests.made.commands import Command, assert_one_sentence
from tests.made.places import LEFT, TOP
from tests.made.rasters import write_tif
from tests.made.zones import frame
from zonalbatch.compat import peers
from zonalbatch.compat.comparison import compare


@pytest.fixture(scope="module")
def zones(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two zones of 4 cells each, all of them whole."""
    path = tmp_path_factory.mktemp("zones") / "zones.parquet"
    shapes = [shapely.box(LEFT + x, TOP - 20, LEFT + x + 20, TOP) for x in (0, 40)]
    frame(*shapes, field=["a", "b"]).to_parquet(path)
    return path


def raster(folder: Path, **profile: Any) -> Path:
    """Two rows of cells: 0, 0, 10, 10, … of which the first zone has 0, 0, 0, 10."""
    values = np.array([[0, 0, 5, 5, 7, 8], [0, 10, 5, 5, 9, 9]], "uint16")
    return Path(write_tif(folder / "r.tif", values, **profile))


class TestCauses:
    """Where numbers differ, and why."""

    def test_nothing_differs(self, zones: Path, tmp_path: Path) -> None:
        """Whole cells, no nodata among them: all three say the same."""
        for peer in ("rasterstats", "exactextract"):
            found = compare(zones, raster(tmp_path, nodata=99), "count,mean,max", peer=peer)
            assert [one.largest for one in found.differences] == [0, 0, 0]

    def test_merged_quantiles(self, zones: Path, tmp_path: Path) -> None:
        """The median of 0, 0, 0, 10 is 0; exactextract says 5."""
        found = compare(zones, raster(tmp_path), "median", peer="exactextract", id="field")
        (one,) = found.differences
        assert (one.zone, one.ours, one.theirs) == ("a", 0, 5)
        assert one.cause.startswith("quantile")

    def test_scale(self, zones: Path, tmp_path: Path) -> None:
        """rasterstats gives raw values of a scaled file."""
        found = compare(zones, raster(tmp_path, scale=0.1, nodata=99), "count,mean",
                        peer="rasterstats")  # fmt: skip
        assert [one.cause[:5] for one in found.differences] == ["", "scale"]

    def test_crs(self, zones: Path, tmp_path: Path) -> None:
        """Peers take zones in degrees for zones in metres."""
        import geopandas

        degrees = tmp_path / "degrees.parquet"
        geopandas.read_parquet(zones).to_crs("EPSG:4326").to_parquet(degrees)
        found = compare(degrees, raster(tmp_path), "count", peer="rasterstats")
        assert found.differences[0].cause.startswith("CRS")


class TestCommand:
    """What is printed."""

    def test_print(self, here: Command, zones: Path, tmp_path: Path) -> None:
        """A line for each statistic, and the time of both."""
        told = here("compare", zones, raster(tmp_path), "--with", "exactextract", "-s", "sum,p50")
        assert (told.code, told.err) == (0, "")
        lines = told.out.splitlines()
        assert [line.split()[0] for line in lines[1:3]] == ["sum", "p50"]
        assert "2 zones: zonalbatch" in lines[-1]

    def test_unknown(self, here: Command, zones: Path, tmp_path: Path) -> None:
        """Peers and statistics that are not known are refused."""
        told = here("compare", zones, raster(tmp_path), "--with", "qgis")
        assert_one_sentence(told.err, "qgis", "use rasterstats or exactextract")
        told = here("compare", zones, raster(tmp_path), "--with", "rasterstats", "-s", "skew")
        assert_one_sentence(told.err, "rasterstats has no 'skew'")

    def test_missing(
        self, here: Command, zones: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A peer that is not installed is named with what to type."""
        monkeypatch.setattr(peers, "find_spec", lambda name: None)
        told = here("compare", zones, raster(tmp_path), "--with", "rasterstats")
        assert_one_sentence(told.err, "pip install rasterstats")
        assert told.code == 2
