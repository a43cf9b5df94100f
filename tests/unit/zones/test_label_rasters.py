"""Rasters of labels: which cells are in a zone, which bands and values are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pytest
import rioxarray
import shapely
import xarray as xr
from rasterio.transform import Affine
from typer.testing import CliRunner

import zonalbatch as zb
from tests.made.places import CELL, LEFT, TOP
from tests.made.rasters import BLOCKS, in_xarray, noise, write_tif
from zonalbatch.cli.app import app
from zonalbatch.errors import InputError, SourceError, ZonesError
from zonalbatch.explanation.inquiry import explain
from zonalbatch.zones import labels as labels_module
from zonalbatch.zones import open_zones, tracing

LABELS = np.array([[0, 0, 5, 5], [0, 9, 9, 5], [3, 3, 9, 5]], np.uint8)
VALUES = np.arange(12, dtype=np.uint16).reshape(3, 4)


def counted(zones: Any) -> dict[int, float]:
    """Label -> number of cells."""
    found = zb.zonal_stats(zones, in_xarray(VALUES), "n_total")["n_total"]
    return dict(zip(found.index.tolist(), found.tolist(), strict=True))


def test_zero_is_a_label_and_nodata_is_none(tmp_path: Path) -> None:
    """0 is a zone like others unless it is the raster's nodata."""
    every = {0: 3.0, 3: 2.0, 5: 4.0, 9: 3.0}
    assert counted(write_tif(tmp_path / "labels.tif", LABELS)) == every
    assert counted(write_tif(tmp_path / "gaps.tif", LABELS, nodata=0)) == {
        label: count for label, count in every.items() if label
    }
    assert counted(in_xarray(LABELS, nodata=9)) == {
        label: count for label, count in every.items() if label != 9
    }


def test_whole_numbers_in_floats_are_labels() -> None:
    """As masked arrays have them: NaN is no zone, and neither is infinity."""
    floats = np.where(LABELS == 0, np.nan, LABELS.astype(np.float32))
    floats[2, 0] = np.inf
    assert counted(in_xarray(floats)) == {3: 1.0, 5: 4.0, 9: 3.0}


def test_cells_that_the_file_masks_are_in_no_zone(tmp_path: Path) -> None:
    """A mask of the file's own counts as nodata does."""
    import rasterio

    path = write_tif(tmp_path / "labels.tif", LABELS)
    with rasterio.open(path, "r+") as file:
        file.write_mask(LABELS != 5)
    assert counted(path) == {0: 3.0, 3: 2.0, 9: 3.0}


def test_rows_that_run_northward(tmp_path: Path) -> None:
    """A raster whose first row is the southernmost makes the same zones."""
    upward = Affine(CELL, 0, LEFT, 0, CELL, TOP - 3 * CELL)
    path = write_tif(tmp_path / "labels.tif", LABELS[::-1], transform=upward)
    found = zb.zonal_stats(path, in_xarray(VALUES), "sum")["sum"]
    assert found.to_dict() == {0: 5.0, 3: 17.0, 5: 23.0, 9: 21.0}


def test_a_lazy_array_and_large_labels() -> None:
    """Chunks of Dask, and labels of 64 bits with their sign."""
    large = LABELS.astype(np.int64) * (2**60) - 2**62
    lazy = in_xarray(large).chunk({"y": 2, "x": 3})
    assert counted(lazy) == {
        int(n) * 2**60 - 2**62: c for n, c in counted(in_xarray(LABELS)).items()
    }


def test_blocks_of_files(tmp_path: Path) -> None:
    """A tiled file gives what its pixels give as an array."""
    labels = noise(150, 130) % 40
    path = write_tif(tmp_path / "labels.tif", labels, **BLOCKS)
    values = in_xarray(noise(150, 130, seed=1))
    ours = zb.zonal_stats(path, values, "sum,p90")
    other = zb.zonal_stats(in_xarray(labels), values, "sum,p90")
    assert ours.equals(other)


def test_bands(tmp_path: Path) -> None:
    """Of several bands one must be named; it is taken as a job's zones.band says."""
    path = write_tif(tmp_path / "labels.tif", np.stack([LABELS, LABELS * 2]))
    table, _ = open_zones(path, band=2).whole()
    assert table["zone_id"].to_pylist() == [0, 6, 10, 18]
    with pytest.raises(ZonesError, match=r"has 2 bands; say which .* zones\.band"):
        open_zones(path)
    with pytest.raises(ZonesError, match="has no band 3; it has 2"):
        open_zones(path, band=3)


def test_a_band_goes_with_rasters_only(tmp_path: Path) -> None:
    """A frame has no band, and a file of vectors is no raster."""
    frame = geopandas.GeoDataFrame(geometry=[shapely.box(0, 0, 1, 1)], crs=32631)
    with pytest.raises(ZonesError, match="leave it out for other zones"):
        open_zones(frame, band=1)
    frame.to_file(tmp_path / "zones.gpkg")
    with pytest.raises(ZonesError, match=r"zones\.gpkg cannot be read"):
        open_zones(tmp_path / "zones.gpkg", band=1)


@pytest.mark.parametrize("asked", [{"id": "name"}, {"columns": ["crop"]}])
def test_no_columns(asked: dict[str, Any]) -> None:
    """Labels are the ids, and there is no other column."""
    with pytest.raises(ZonesError, match=r"is a raster of labels, .* leave id and columns out"):
        open_zones(in_xarray(LABELS), **asked)


@pytest.mark.parametrize("value", [0.5, 2.0**60])
def test_measured_values_are_no_labels(value: float) -> None:
    """A number that is no integer, or too large to be surely one, is refused by its value."""
    floats = LABELS.astype(np.float64)
    floats[1, 2] = value
    with pytest.raises(
        ZonesError, match=f"holds {value!r}, which cannot be a zone's id".replace("+", r"\+")
    ):
        counted(in_xarray(floats))
    with pytest.raises(ZonesError, match=r"holds 18446744073709551615"):
        counted(in_xarray(np.full((2, 2), 2**64 - 1, np.uint64)))


def test_too_many_zones_or_corners(monkeypatch: pytest.MonkeyPatch) -> None:
    """A raster that is none of labels is refused before it fills the memory."""
    pixels = in_xarray(noise(50, 50))
    with monkeypatch.context() as patch:
        patch.setattr(tracing, "MOST_ZONES", 1000)
        with pytest.raises(ZonesError, match="more than 1,000 labels"):
            counted(pixels)
    for what, text in (("MOST_CORNERS", "1,000 corners"), ("MOST_PARTS", "1,000 separate parts")):
        with monkeypatch.context() as patch:
            patch.setattr(tracing, what, 1000)
            with pytest.raises(ZonesError, match=f"have more than {text}"):
                counted(pixels)


def test_many_zones_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what is under way at once counts: a raster may have more parts than may wait."""
    labels = np.arange(4000).reshape(400, 10) // 2
    for name, most in {"MOST_PARTS": 500, "MOST_CORNERS": 2000, "WAITING": 100}.items():
        monkeypatch.setattr(tracing, name, most)
    monkeypatch.setattr(labels_module, "STRIP", 100)
    table, shapes = open_zones(in_xarray(labels)).whole()
    assert table["zone_id"].to_pylist() == list(range(2000))
    assert set(shapely.area(shapes)) == {200.0}


def test_no_label_at_all() -> None:
    """A raster of nodata alone holds no zone."""
    with pytest.raises(ZonesError, match="there are no zones"):
        counted(in_xarray(LABELS * 0, nodata=0))


def test_what_is_neither_vector_nor_raster(tmp_path: Path) -> None:
    """A file that GDAL does not know at all is told as before."""
    (tmp_path / "zones.txt").write_text("no zones")
    with pytest.raises(ZonesError, match=r"zones\.txt cannot be read"):
        open_zones(tmp_path / "zones.txt")
    path = write_tif(tmp_path / "bare.tif", LABELS, crs=None)
    with pytest.raises(SourceError, match="has no CRS"):
        open_zones(path)


def test_times_are_refused() -> None:
    """Labels of several dates are several zones each: one date must be selected."""
    both = xr.concat([in_xarray(LABELS)] * 2, xr.DataArray([0, 1], dims="time"))
    with pytest.raises(ZonesError, match="select one"):
        open_zones(both)


def test_explain(tmp_path: Path) -> None:
    """A zone is named by its label; the totals are those of zonal_stats."""
    path = write_tif(tmp_path / "labels.tif", LABELS)
    made = explain(path, in_xarray(VALUES), 9)
    assert made.value.tolist() == [5, 6, 10]
    assert made.totals["n_total"] == 3
    with pytest.raises(InputError, match="no zone 4; ids are those of 'label'"):
        explain(path, in_xarray(VALUES), 4)


def test_other_options_of_zonal_stats() -> None:
    """Coverage rules, long layout, no geometry: as of any zones."""
    zones, values = in_xarray(LABELS), in_xarray(VALUES)
    found = zb.zonal_stats(zones, values, "sum", coverage="center", geometry=False)
    assert list(found.columns) == ["sum"]
    assert found["sum"].to_dict() == {0: 5.0, 3: 17.0, 5: 23.0, 9: 21.0}
    long = zb.zonal_stats(zones, values, "sum", layout="long")
    assert long.index.tolist() == [0, 3, 5, 9]


def test_zone_band(tmp_path: Path) -> None:
    """A call, an explanation and the command line choose among bands as a job does."""
    other = np.where(LABELS == 9, 5, LABELS)
    path = write_tif(tmp_path / "labels.tif", np.stack([LABELS, other]))
    raster = write_tif(tmp_path / "values.tif", VALUES)
    found = zb.zonal_stats(path, raster, "n_total,sum", zone_band=2)
    assert found["n_total"].to_dict() == {0: 3.0, 3: 2.0, 5: 7.0}
    made = explain(path, raster, 5, zone_band=2)
    assert made.totals["sum"] == found.loc[5, "sum"]
    both = rioxarray.open_rasterio(path)
    assert list(zb.zonal_stats(both, raster, zone_band=1).index) == [0, 3, 5, 9]
    for words in (["stats", path, raster], ["explain", path, raster, "-z", "5"]):
        done = CliRunner().invoke(app, [*words, "--zone-band", "2"])
        assert done.exit_code == 0, done.output
        assert "7" in done.output


@pytest.mark.parametrize("band", [0, "2", 1.5, True, 3])
def test_a_zone_band_that_cannot_be(tmp_path: Path, band: Any) -> None:
    """It is a number from 1 on, and one that the raster has; zones of other kinds have none."""
    path = write_tif(tmp_path / "labels.tif", np.stack([LABELS, LABELS]))
    with pytest.raises(InputError, match=r"zone_band=|has no band 3"):
        zb.zonal_stats(path, in_xarray(VALUES), zone_band=band)
    zones = zb.zonal_stats(path, in_xarray(VALUES), zone_band=1)
    with pytest.raises(InputError, match="band 1 is of a raster of labels"):
        zb.zonal_stats(zones, in_xarray(VALUES), zone_band=1)
