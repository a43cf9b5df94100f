"""Blocks that cannot be decoded, in files that are good otherwise: exit 3."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely

import zonalbatch as zb
from tests.made.commands import Command
from tests.made.jobs import DATES, job_over, run_over
from tests.made.rasters import BLOCKS, noise, spoil, unreadable_blocks, write_tif
from tests.made.zones import squares, squares_within

if TYPE_CHECKING:
    from distributed import Client


def assert_failed_where_unreadable(
    rows: pd.DataFrame, bad: str, good: str, zones: geopandas.GeoDataFrame, path: str
) -> None:
    """A zone of the bad layer failed if it meets an unreadable block, else it is as good."""
    lost = shapely.union_all(unreadable_blocks(path))
    failed = zones.set_index("id").geometry.intersects(lost)
    table = rows.set_index("zone_id").sort_index()
    wrong = table[table["layer"] == bad]
    right = table[table["layer"] == good]
    numbers = list(table.filter(regex="_(count|mean|max|n_total)$"))
    assert 0 < failed.sum() < len(failed)
    assert (wrong["status"] == "failed").to_dict() == failed.to_dict()
    assert wrong.loc[failed, numbers].isna().all(axis=None)
    pd.testing.assert_frame_equal(wrong.loc[~failed, numbers], right.loc[~failed, numbers])


@pytest.mark.long
def test_corrupt_file(data_dir: Path, tmp_path: Path, at_hand: dict[str, str]) -> None:
    """tricky/rasterio/corrupt.tif, one block of which is cut off, between two good ones.

    Exit 3; every pair has its row; those on the unreadable block are `failed` and have no
    number; all others are as in the good files.
    """
    folder = data_dir / "tricky" / "rasterio"
    files = [str(folder / "cogeo.tif"), str(folder / "corrupt.tif"), str(tmp_path / "z.tif")]
    shutil.copy(files[0], files[2])
    with rasterio.open(files[0]) as file:
        zones = squares_within(tuple(file.bounds), 4, file.crs)
    (code, out, err), rows, failures = run_over(
        tmp_path, zones, cluster=at_hand, source={"kind": "cog", "files": files},
        bands={"red": 1, "blue": 3},
    )  # fmt: skip
    assert code == 3
    assert "Traceback" not in err
    assert "1 failure, listed" in out
    assert failures["layer"].tolist() == ["corrupt"]
    assert failures["permanent"].all()
    assert "corrupt.tif" in failures["cause"][0]
    assert len(rows) == 3 * 16
    assert_failed_where_unreadable(rows, "corrupt", "cogeo", zones, files[1])


def test_truncated_file(data_dir: Path, tmp_path: Path, at_hand: dict[str, str]) -> None:
    """tricky/derived/B01_truncated_60pct.tif: blocks are missing from the second row on."""
    bad = str(data_dir / "tricky/derived/B01_truncated_60pct.tif")
    with rasterio.open(bad) as file:
        zones = squares_within(tuple(file.bounds), 6, file.crs)
        profile = {"crs": file.crs, "transform": file.transform, "nodata": file.nodata}
        shape, dtype = file.shape, file.dtypes[0]
    good = write_tif(tmp_path / "good.tif", np.full(shape, 7, dtype), **profile)
    source = {"kind": "cog", "files": [bad, good]}
    (code, _, err), rows, failures = run_over(
        tmp_path, zones, cluster=at_hand, source=source, bands={"red": 1}
    )
    assert code == 3
    assert "Traceback" not in err
    assert set(failures["layer"]) == {"B01_truncated_60pct"}
    assert len(rows) == 2 * 36
    lost = shapely.union_all(unreadable_blocks(bad))
    layer = rows[rows["layer"] == "B01_truncated_60pct"].set_index("zone_id")
    expected = zones.set_index("id").geometry.intersects(lost)
    assert (layer["status"] == "failed").to_dict() == expected.to_dict()
    assert layer.loc[expected, "red_count"].isna().all()
    assert set(rows.loc[rows["layer"] == "good", "status"]) == {"ok"}


def test_one_block_loses_only_its_zones(
    tmp_path: Path, at_hand: dict[str, str], here: Command
) -> None:
    """A block that cannot be decoded takes no number from zones on the blocks beside it."""
    good = write_tif(tmp_path / "good.tif", noise(96, 96), **BLOCKS)
    bad = shutil.copy(good, tmp_path / "bad.tif")
    spoil(str(bad), (1, 1))
    assert len(unreadable_blocks(str(bad))) == 1
    zones = squares(6, side=160)
    source = {"kind": "cog", "files": [good, str(bad)]}
    (code, _, _), rows, _ = run_over(
        tmp_path, zones, by=here, cluster=at_hand, source=source, bands={"red": 1}
    )
    assert code == 3
    assert_failed_where_unreadable(rows, "bad", "good", zones, str(bad))


def test_memory_changes_nothing_where_a_block_is_corrupt(tmp_path: Path, cluster: Client) -> None:
    """How much is read at once does not decide which zones fail."""
    blocks = BLOCKS | {"blockxsize": 128, "blockysize": 128}
    bad = write_tif(tmp_path / "bad.tif", noise(600, 1600), **blocks)
    spoil(bad, (1, 1))
    with rasterio.open(bad) as file:
        zones = squares_within(tuple(file.bounds), 12)
    digests = set()
    for memory in ("1.5GiB", "64MB"):
        zb.run(job_over(zones, bad, tmp_path / memory, limits={"memory": memory}), cluster)
        digests.add(zb.open_results(tmp_path / memory).digest)
    assert len(digests) == 1


def test_one_band_of_two(tmp_path: Path, at_hand: dict[str, str], here: Command) -> None:
    """Where one measurement is lost and another is not, a row is `partial`."""
    for date in DATES:
        for band in ("red", "nir"):
            write_tif(tmp_path / f"s2_{date}_{band}.tif", noise(96, 96), **BLOCKS)
    bad = tmp_path / f"s2_{DATES[1]}_red.tif"
    spoil(str(bad), *((row, col) for row in range(3) for col in range(3)))
    (code, _, _), rows, failures = run_over(
        tmp_path, squares(3, side=320),
        by=here, cluster=at_hand,
        source={"kind": "cog", "pattern": str(tmp_path / "s2_{date:%Y%m%d}_{band}.tif")},
        bands={"red": "red", "nir": "nir"},
        measurements={"red": "red", "nir": "nir", "ndvi": "(nir - red) / (nir + red)"},
    )  # fmt: skip
    assert code == 3
    assert set(failures["href"]) == {str(bad)}
    assert len(rows) == 2 * 9
    first, second = (rows[rows["layer"] == f"s2_{date}"] for date in DATES)
    assert set(first["status"]) == {"ok"}
    assert set(second["status"]) == {"partial"}
    assert second[["red_mean", "red_count", "ndvi_mean", "ndvi_n_total"]].isna().all(axis=None)
    np.testing.assert_array_equal(
        second.sort_values("zone_id")["nir_mean"], first.sort_values("zone_id")["nir_mean"]
    )
