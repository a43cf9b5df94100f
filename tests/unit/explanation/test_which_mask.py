"""Which of several masks took a cell, and whether it had to grow to do so."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import zonalbatch as zb
from tests.made.places import CELL
from tests.made.rasters import write_tif
from tests.made.zones import cells, frame
from zonalbatch.explanation.account import account


def test_which_mask_took_a_cell(tmp_path: Path) -> None:
    """The first mask that took it is named, and whether it did so only because it grows."""
    values = np.arange(16, dtype=np.uint16).reshape(4, 4)
    classes = np.full((4, 4), 4, np.uint16)
    classes[1, 1] = 9
    raster = write_tif(tmp_path / "s.tif", np.stack([values, classes]))
    zones = frame(cells(0, 0, 4, 4), id=["a"])
    made = zb.explain(
        zones, raster, "a", id="id", bands={"v": 1, "scl": 2}, measurements={"v": "v"},
        mask=[{"band": "scl", "exclude": [9], "dilate": CELL}, {"band": "v", "above": 13}],
    )  # fmt: skip
    rows = made.to_frame()
    taken = {(r.row, r.col): r.mask for r in rows.itertuples() if r.mask}
    beside = dict.fromkeys([(0, 1), (1, 0), (1, 2), (2, 1)], "scl, grown")
    assert taken == {(1, 1): "scl", (3, 2): "v", (3, 3): "v"} | beside
    assert made.by_reason["user mask"] == (7, 7.0)
    assert made.by_mask == {"scl": (1, 1.0), "scl, grown": (4, 4.0), "v": (2, 2.0)}
    told = account(made)
    assert f"where scl is one of 9, or has no value, and those within {CELL:g} m of one" in told
    assert "leaves out cells where v is above 13, or has no value" in told
    assert "by scl, grown" in told
