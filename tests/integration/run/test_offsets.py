"""What a run says of the scale and offset that it applied, and of items that lie."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

import zonalbatch as zb
from tests.made.rasters import noise, write_tif
from tests.made.runs import Runner
from tests.made.scenes import asset, item, write_items
from tests.made.zones import squares, squares_within
from zonalbatch.errors import ZonalbatchWarning

ALONE: dict[str, Any] = {
    "zones": {"path": squares(2), "id": "id"}, "measurements": None, "mask": None,
    "bands": {"red": "red"}, "statistics": ["mean"],
}  # fmt: skip


def layers_of(runner: Runner) -> list[dict[str, Any]]:
    """What the output says of its layers."""
    rows: list[dict[str, Any]] = pq.read_table(runner.folder / "out/layers.parquet").to_pylist()
    return rows


@pytest.fixture
def items(tmp_path: Path) -> str:
    """Two dates whose files say × 0.5 + 3, and whose items say × 0.1 - 1, and nothing."""
    made: list[dict[str, Any]] = []
    for name, said in (("a", {"raster:scale": 0.1, "raster:offset": -1.0}), ("b", {})):
        values = noise(40, 40, seed=len(made))
        href = write_tif(tmp_path / f"{name}.tif", values, scale=0.5, offset=3.0)
        made.append(item(name, red=asset(href, (40, 40), data_type="uint16", **said)))
    return write_items(tmp_path / "items.json", made)


def test_who_said_it_is_recorded_and_contradiction_told(runner: Runner, items: str) -> None:
    """The item is believed; that its file says otherwise is a note, also when run again."""
    for _ in range(2):
        report = runner.run(source={"kind": "stac", "items": items}, **ALONE)
        (note,) = [one for one in report.notes if "tags" in one]
        assert "the tags of 1 band say" in note
        assert "a.tif (× 0.5 +3)" in note
    told = [(row["scale"], row["offset"], row["scaled_by"]) for row in layers_of(runner)]
    assert told == [(0.1, -1.0, "item"), (0.5, 3.0, "file")]


def test_a_job_that_overrides_its_files_is_not_contradicted(runner: Runner, items: str) -> None:
    """Whoever writes numbers into a job knows why."""
    source = {"kind": "stac", "items": items}
    report = runner.run(source=source, scale_offset={"scale": 2.0, "offset": 0.0}, **ALONE)
    assert not [note for note in report.notes if "tags" in note]
    assert {row["scaled_by"] for row in layers_of(runner)} == {"job"}


def test_a_real_item_that_lies_about_the_shape_of_its_file(runner: Runner, data_dir: Path) -> None:
    """It says 1830 × 1830 cells of 60 m, where titiler's file has a tenth of them: it is caught.

    The numbers are those of the file by itself, times the scale of the product, and the run says
    that it believed the file.
    """
    path = data_dir / "stac_items/titiler/mosaic_item.json"
    href = str(data_dir / "scenes/titiler/B01.tif")
    doc = json.loads(path.read_text())
    doc["assets"]["B01"]["href"] = href
    bounds = (720_000, 3_500_000, 790_000, 3_570_000)
    zones = squares_within(bounds, 2, crs="EPSG:32634")
    expected = zb.zonal_stats(zones, href, "count,mean")
    bands = {"b": "B01"}
    at_once = zb.zonal_stats(zones, [doc], "count,mean", bands=bands, trusted=True)
    report = runner.run(
        source={
            "kind": "stac",
            "items": write_items(runner.folder / "items.json", [doc]),
            "trusted": True,
        },
        **ALONE | {"zones": {"path": zones, "id": "id"}, "bands": {"b": "B01"}},
    )
    assert [note for note in report.notes if "disagree about the grid" in note]
    by_run = runner.results().table.to_pandas().sort_values("zone_id")["b_mean"]
    np.testing.assert_array_equal(at_once["count"], expected["count"])
    assert (expected["count"] > 0).any()
    np.testing.assert_allclose(at_once["mean"], expected["mean"] * 1e-4, rtol=1e-12)
    np.testing.assert_array_equal(by_run, at_once["mean"])


def test_a_call_warns_where_a_run_notes(items: str) -> None:
    """There is no report: what does not agree is a warning."""
    with pytest.warns(ZonalbatchWarning, match=r"tags of 1 band say .*a\.tif"):
        zb.zonal_stats(squares(2), items, "mean")
