"""Rows of a job and of a table say which overview they were read from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas
import numpy as np
import pytest
import rasterio
import shapely

import zonalbatch as zb
from tests.made.places import CELL, CRS, LEFT, TOP
from tests.made.rasters import BLOCKS, noise, write_tif
from zonalbatch.errors import SchemaError

if TYPE_CHECKING:
    from distributed import Client

SIDE = 256


@pytest.fixture
def scenes(tmp_path: Path) -> list[str]:
    """Two dates, of which one has overviews of 2 and 4 times its cells."""
    files = []
    for seed, day in enumerate(("20240601", "20240611")):
        path = tmp_path / f"S_{day}.tif"
        files.append(write_tif(path, noise(SIDE, SIDE, seed=seed), **BLOCKS))
    with rasterio.open(files[0], "r+") as file:
        file.build_overviews([2, 4])
    return files


@pytest.fixture
def fields() -> geopandas.GeoDataFrame:
    """Two fields of whole cells of all overviews."""
    sides = np.array([[0, 8, 64, 72], [128, 16, 224, 80]]) * CELL
    shapes = [shapely.box(LEFT + w, TOP - s, LEFT + e, TOP - n) for w, n, e, s in sides]
    return geopandas.GeoDataFrame({"plot": [1, 2]}, geometry=shapes, crs=CRS)


def document(folder: Path, zones: Any, files: list[str], **keys: Any) -> dict[str, Any]:
    """A job over fields at four times the size of cells."""
    usual = {
        "zones": {"path": zones, "id": "plot"},
        "source": {"kind": "cog", "files": files, "datetime_pattern": "%Y%m%d"},
        "bands": {"red": 1},
        "resolution": 4 * CELL,
        "output": {"path": str(folder / "out"), "geometry": "none"},
    }
    return usual | keys


@pytest.mark.parametrize("layout", ["wide", "long"])
def test_rows_of_a_job(
    tmp_path: Path, fields: Any, scenes: list[str], cluster: Client, layout: str
) -> None:
    """The level of what was read, null where that was full resolution; n_total counts its cells.

    A note of the report tells the sizes of cells, and how many files have them.
    """
    out = {"path": str(tmp_path / "out"), "layout": layout, "geometry": "none"}
    keys = {"statistics": ["n_total"], "output": out}
    report = zb.run(zb.Job(**document(tmp_path, fields, scenes, **keys)), cluster)
    sizes = f"{4 * CELL:g} m in 1 file, {CELL:g} m (full resolution) in 1 file"
    assert f"resolution {4 * CELL:g} takes cells of {sizes}" in report.notes
    rows = zb.open_results(tmp_path / "out").gdf
    first = rows["layer"] == "S_20240601"
    assert rows.loc[first, "overview"].tolist() == ["1", "1"]
    assert rows.loc[~first, "overview"].isna().all()
    n_total = rows["value" if layout == "long" else "red_n_total"]
    assert (n_total[first].to_numpy() * 16 == n_total[~first].to_numpy()).all()


def test_rows_of_a_table(fields: Any, scenes: list[str]) -> None:
    """So does zonal_stats, for one raster and for many; without a resolution there is no word."""
    one = zb.zonal_stats(fields, scenes[0], "mean", resolution=2 * CELL)
    assert one["overview"].tolist() == ["0", "0"]
    many = zb.zonal_stats(fields, scenes, "mean", resolution=4 * CELL)
    assert many["overview"].tolist() == ["1", None, "1", None]
    assert "overview" not in zb.zonal_stats(fields, scenes, "mean")


def test_a_column_of_that_name_is_refused(tmp_path: Path, fields: Any, scenes: list[str]) -> None:
    """Only where rows need the name."""
    fields["overview"] = "north"
    zones = {"path": fields, "id": "plot", "columns": ["overview"]}
    job = document(tmp_path, fields, scenes) | {"zones": zones}
    with pytest.raises(SchemaError, match="two result columns would be named 'overview'"):
        zb.plan(zb.Job(**job))
    zb.plan(zb.Job(**job | {"resolution": None}))
