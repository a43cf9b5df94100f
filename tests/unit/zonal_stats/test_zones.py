"""zb.zonal_stats: zones of whatever kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely

import zonalbatch as zb
from tests.made.names import USUAL
from tests.made.places import LEFT, TOP
from tests.made.zones import cells, frame
from zonalbatch.errors import InputError


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
        wanted = zb.zonal_stats(plain, tif, USUAL)
        for given in (path, str(path)):
            found = zb.zonal_stats(given, tif, USUAL)
            assert found["name"].tolist() == ["c", "a", "b"]
            np.testing.assert_allclose(found[USUAL], wanted[USUAL], rtol=1e-9)
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
        """Zones without a CRS are refused: nobody knows where they lie."""
        with pytest.raises(InputError, match="no CRS"):
            zb.zonal_stats(zones.set_crs(None, allow_override=True), tif)

    def test_invalid_and_oppositely_wound(self, tif: str) -> None:
        """Crossed rings count as make_valid has them; parts wound apart do not cancel."""
        bow = shapely.Polygon(
            [(LEFT, TOP), (LEFT + 40, TOP - 40), (LEFT + 40, TOP), (LEFT, TOP - 40)]
        )
        one, two = cells(0, 0, 2, 2), shapely.reverse(cells(4, 4, 2, 2))
        assert one.exterior.is_ccw != two.exterior.is_ccw
        wound = shapely.MultiPolygon([one, two])
        zones = frame(bow, wound)
        found = zb.zonal_stats(zones, tif, "n_total")
        assert found["n_total"].tolist() == pytest.approx([8.0, 8.0], rel=1e-12)

    def test_overlaps(self, tif: str) -> None:
        """Each zone is computed by itself."""
        zones = frame(*[cells(0, 0, 4, 4)] * 3, cells(2, 2, 4, 4))
        found = zb.zonal_stats(zones, tif, "count,mean")
        assert found["count"].tolist() == [16] * 4
        assert found["mean"].nunique() == 2

    def test_no_zones(self, zones: geopandas.GeoDataFrame, tif: str) -> None:
        """No zones at all are refused in a sentence."""
        with pytest.raises(InputError, match="no zones"):
            zb.zonal_stats(zones.iloc[:0], tif)

    @pytest.mark.parametrize("what", ["text", 5, None, [cells(0, 0, 1, 1)]])
    def test_no_frame(self, tif: str, what: Any) -> None:
        """What is no frame and no path to one is refused."""
        with pytest.raises(InputError):
            zb.zonal_stats(what, tif)

    def test_points(self, zones: geopandas.GeoDataFrame, tif: str) -> None:
        """Points and lines are zones too: a point counts one cell, a line its metres."""
        points = zones.set_geometry(zones.geometry.centroid)
        assert zb.zonal_stats(points, tif)["count"].tolist() == [1, 1, 1]
        lines = zones.set_geometry(zones.geometry.exterior)
        inside = zb.zonal_stats(lines, tif)["count"]
        assert inside.iloc[[0, 2]].tolist() == pytest.approx(lines.length.iloc[[0, 2]])

    def test_dask_zones(self, zones: geopandas.GeoDataFrame, tif: str) -> None:
        """A dask_geopandas frame is the frame that it computes."""
        import dask_geopandas

        whole = zones.sort_index()
        lazy = dask_geopandas.from_geopandas(whole, npartitions=2)
        pd.testing.assert_frame_equal(
            zb.zonal_stats(lazy, tif), zb.zonal_stats(whole, tif), check_dtype=False
        )
