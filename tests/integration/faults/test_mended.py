"""Files that could not be read when a run was planned, and were mended by the user."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import zonalbatch as zb
from tests.made.jobs import job_over
from tests.made.rasters import noise, write_tif
from tests.made.zones import squares
from zonalbatch.errors import SchemaError

if TYPE_CHECKING:
    from distributed import Client

NINE = squares(3, side=320)
"""Zones that fill the rasters."""
BROKEN: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda whole: b"",
    "cut": lambda whole: whole[:100],
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_mended_file(tmp_path: Path, cluster: Client, how: str) -> None:
    """The same job goes on: it adds the rows of the file and computes no part again."""
    files = [Path(write_tif(tmp_path / f"s_{y}.tif", noise(96, 96, seed=y))) for y in (2020, 2021)]
    source = {"kind": "cog", "files": [*map(str, files)], "datetime_pattern": "%Y"}
    job = job_over(NINE, "", tmp_path / "out", source=source)
    whole = files[1].read_bytes()
    files[1].write_bytes(BROKEN[how](whole))
    first = zb.run(job, cluster)
    assert (first.exit_code, first.rows) == (3, 9)
    files[1].write_bytes(whole)
    second = zb.run(job, cluster)
    assert (second.exit_code, second.rows, second.computed) == (0, 18, 1)


def test_a_mended_band(tmp_path: Path, cluster: Client) -> None:
    """A layer that lacked a band is whole after the next run."""
    files = {b: tmp_path / f"s_20200501_{b}.tif" for b in ("B04", "B08")}
    for band, path in files.items():
        write_tif(path, noise(96, 96, seed=len(band)))
    source = {"kind": "cog", "pattern": str(tmp_path / "s_{date:%Y%m%d}_{band}.tif")}
    bands = {"red": "B04", "nir": "B08"}
    job = job_over(NINE, "", tmp_path / "out", source=source, bands=bands)
    whole = files["B08"].read_bytes()
    files["B08"].write_bytes(b"")
    assert zb.run(job, cluster).exit_code == 3
    assert set(zb.open_results(tmp_path / "out").gdf["status"]) == {"partial"}
    files["B08"].write_bytes(whole)
    assert zb.run(job, cluster).exit_code == 0
    assert set(zb.open_results(tmp_path / "out").gdf["status"]) == {"ok"}


@pytest.mark.parametrize("changes", [{"statistics": ["max"]}, {"prefix": "x_"}], ids=str)
def test_another_job_is_refused(tmp_path: Path, cluster: Client, changes: dict[str, Any]) -> None:
    """A file that waits to be mended opens a result to no other job."""
    files = [write_tif(tmp_path / f"s_{y}.tif", noise(96, 96, seed=y)) for y in (2020, 2021)]
    Path(files[1]).write_bytes(b"")
    zb.run(job_over(NINE, files, tmp_path / "out"), cluster)
    digest = zb.open_results(tmp_path / "out").digest
    with pytest.raises(SchemaError, match="holds the results of another"):
        zb.run(job_over(NINE, files, tmp_path / "out", **changes), cluster)
    assert zb.open_results(tmp_path / "out").digest == digest
