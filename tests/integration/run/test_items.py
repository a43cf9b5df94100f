"""Items that are wrong about their files."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import zonalbatch as zb
from tests.made.places import CELL, LEFT
from tests.made.rasters import noise, write_tif
from tests.made.runs import Runner
from tests.made.scenes import asset, item, write_items
from tests.made.zones import squares
from zonalbatch.errors import PassingReadError


class TestMismatch:
    """Items that are wrong about their files."""

    def items(self, runner: Runner, change: Callable[[dict[str, Any]], None]) -> str:
        """A copy of the landscape's items, the first one changed; its path."""
        document = json.loads(runner.land.items.read_text())
        for feature in document["features"]:
            for one in feature["assets"].values():
                one["href"] = str((runner.land.folder / one["href"]).resolve())
        change(document["features"][0])
        return write_items(runner.folder / "wrong.json", document["features"])

    def test_the_file_is_believed_and_it_is_noted(self, runner: Runner) -> None:
        """The layer is planned again by its file: the rows are those of the right item."""

        def shift(feature: dict[str, Any]) -> None:
            for one in feature["assets"].values():
                one["proj:transform"][2] += 1000

        digest = runner.digest("right")
        wrong = {"kind": "stac", "items": self.items(runner, shift)}
        report = runner.run("wrong", source=wrong)
        name = f"demo_{runner.land.scenes[0].name}"
        assert [note for note in report.notes if name in note and "disagree" in note]
        assert runner.results("wrong").digest == digest
        again = runner.run("wrong", source=wrong)
        assert again.computed == 0
        assert runner.results("wrong").digest == digest

    def test_a_file_that_cannot_be_asked_again(
        self, runner: Runner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Where its header fails then, a run ends and says so; the next one does the job."""

        def shift(feature: dict[str, Any]) -> None:
            for one in feature["assets"].values():
                one["proj:transform"][2] += 1000

        def failing(hrefs: Sequence[str], *_: object) -> dict[str, PassingReadError]:
            return {href: PassingReadError(f"{href} could not be read just now") for href in hrefs}

        digest = runner.digest("right")
        wrong = {"kind": "stac", "items": self.items(runner, shift)}
        with monkeypatch.context() as patched:
            patched.setattr("zonalbatch.api.read_headers", failing)
            with pytest.raises(PassingReadError, match="could be read, and now it cannot"):
                runner.run("wrong", source=wrong)
        assert runner.run("wrong", source=wrong).exit_code == 0
        assert runner.results("wrong").digest == digest

    def test_no_row_comes_twice(self, runner: Runner) -> None:
        """What was written by the first plan and is not in the second is not left in the result.

        The item says that the second file ends in the western cell of the partition; it does not.
        The eastern part is written with one layer before that is known, and then with two.
        """
        left = LEFT - LEFT % (1024 * CELL) + 9 * 1024  # 102.4 cells west of a border of cells
        items = []
        for name, width in (("a", 600), ("b", 100)):
            href = write_tif(runner.folder / f"{name}.tif", noise(100, 600, seed=3), left=left)
            told = asset(href, (100, width), left=left, data_type="uint16")
            items.append(item(name, data=told))
        source = {"kind": "stac", "items": write_items(runner.folder / "items.json", items)}
        west, east = (squares(1, left=left + east, side=900) for east in (0, 5000))
        zones = pd.concat([west, east.assign(id=1)])
        job: dict[str, Any] = {
            "zones": {"path": zones, "id": "id"}, "bands": {"red": "data"}, "measurements": None,
            "mask": None,
        }  # fmt: skip
        report = runner.run(source=source, **job)
        rows = runner.results().table.to_pandas()
        pairs = list(zip(rows["zone_id"], rows["layer"], strict=True))
        assert sorted(pairs) == [(0, "a"), (0, "b"), (1, "a"), (1, "b")]
        assert report.rows == 4

    def test_a_real_item_that_lies_about_shape(self, runner: Runner, data_dir: Path) -> None:
        """It says 1830 × 1830 cells of 60 m, the file has 183 × 183 of 600 m: caught and noted."""
        document = json.loads((data_dir / "stac_items/titiler/mosaic_item.json").read_text())
        file = data_dir / "scenes/titiler/B01.tif"
        assert document["assets"]["B01"]["proj:shape"] == [1830, 1830]
        document["assets"] = {"B01": document["assets"]["B01"] | {"href": str(file)}}
        items = write_items(runner.folder / "items.json", [document])
        source = {"kind": "stac", "items": items, "trusted": True}
        zones = squares(3, left=720_000, top=3_580_000, side=20_000).set_crs(
            "EPSG:32634", allow_override=True
        )
        job: dict[str, Any] = {
            "zones": {"path": zones, "id": "id"}, "bands": {"red": "B01"}, "measurements": None,
            "mask": None, "statistics": ["count", "mean", "max", "n_total"],
        }  # fmt: skip
        report = runner.run(source=source, **job)
        assert [note for note in report.notes if "disagree about the grid" in note]
        rows = runner.results().table.to_pandas().set_index("zone_id")
        wanted = zb.zonal_stats(zones, file, ["count", "n_total"], id="id")
        for name in ("count", "n_total"):
            np.testing.assert_allclose(rows.loc[wanted.index, f"red_{name}"], wanted[name])
        assert (rows["red_n_total"] < 1200).all()  # of cells of 60 m there would be 111,000
