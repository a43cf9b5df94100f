"""Lines and points as zones of a job."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import shapely
from distributed import Client

import zonalbatch as zb
from tests.made.jobs import job_over
from tests.made.places import CELL, LEFT, TOP
from tests.made.rasters import noise, write_tif
from tests.made.runs import cut_small
from tests.made.zones import frame, squares


def test_a_job_tells_what_zonal_stats_tells(
    cluster: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Areas, lines and points go through plan, parts and files as they go through a call."""
    tif = write_tif(tmp_path / "scene.tif", noise(700, 900), nodata=77)
    rng = np.random.default_rng(6)
    low, high = (LEFT, TOP - 690 * CELL), (LEFT + 890 * CELL, TOP)
    lines = [shapely.LineString(xy) for xy in rng.uniform(low, high, (20, 5, 2))]
    points = [shapely.MultiPoint(xy) for xy in rng.uniform(low, high, (20, 3, 2))]
    shapes = [*squares(4, side=900.0).geometry, *lines, *points]
    zones = frame(*shapes, id=np.arange(len(shapes)))
    stats = ["count", "mean", "median", "min", "n_total", "n_nodata"]
    job = job_over(zones, [tif], tmp_path / "out", statistics=stats)
    cut_small(monkeypatch, 20)
    report = zb.run(job, cluster)
    assert report.rows == len(shapes)
    assert report.parts > 1
    rows = zb.open_results(tmp_path / "out").gdf.sort_values("zone_id")
    expected = zb.zonal_stats(zones, tif, stats)
    for name in stats:
        np.testing.assert_array_equal(rows[f"red_{name}"], expected[name])
    assert sorted(rows.geom_type.unique()) == ["LineString", "MultiPoint", "Polygon"]
