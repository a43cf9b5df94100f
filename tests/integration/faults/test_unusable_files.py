"""Files that are of no use at all, among good ones: exit 3."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.made.commands import Command
from tests.made.jobs import DATES, run_over
from tests.made.rasters import ROTATED, noise, write_tif
from tests.made.scenes import asset, item, write_items
from tests.made.zones import squares

NINE = squares(3, side=320)
"""Zones that fill the rasters."""
CELLS = noise(96, 96)


def test_empty_file_among_others(tmp_path: Path, at_hand: dict[str, str], here: Command) -> None:
    """Exit 3; the file is recorded, and the layers of the others have all their rows."""
    files = [write_tif(tmp_path / f"{name}.tif", CELLS) for name in ("a", "c")]
    (tmp_path / "b.tif").write_bytes(b"")
    source = {"kind": "cog", "files": [files[0], str(tmp_path / "b.tif"), files[1]]}
    (code, out, _), rows, failures = run_over(
        tmp_path, NINE, by=here, cluster=at_hand, source=source, bands={"red": 1}
    )
    assert code == 3
    assert "b.tif" in out
    assert failures["href"].tolist() == [str(tmp_path / "b.tif")]
    assert rows.groupby("layer").size().to_dict() == {"a": 9, "c": 9}
    assert set(rows["status"]) == {"ok"}


def test_empty_band_among_others(tmp_path: Path, at_hand: dict[str, str], here: Command) -> None:
    """Where another file of the layer is good, its rows are there, and `partial`."""
    first, second = (f"s2_{date}" for date in DATES)
    (tmp_path / f"{first}_red.tif").write_bytes(b"")
    for name in (f"{first}_nir", f"{second}_red"):
        write_tif(tmp_path / f"{name}.tif", CELLS)
    (code, _, _), rows, failures = run_over(
        tmp_path, NINE,
        by=here, cluster=at_hand,
        source={"kind": "cog", "pattern": str(tmp_path / "s2_{date:%Y%m%d}_{band}.tif")},
        bands={"red": "red", "nir": "nir"},
    )  # fmt: skip
    assert code == 3
    assert rows.groupby("layer").size().to_dict() == {first: 9, second: 9}
    assert set(rows["status"]) == {"partial"}
    assert len(failures) == 2


UNUSABLE: Mapping[str, Callable[[Path], object]] = {
    "missing": lambda path: None,
    "empty": lambda path: path.write_bytes(b""),
    "no raster": lambda path: path.write_text("a text"),
    "rotated": lambda path: write_tif(path, CELLS, transform=ROTATED),
    "no CRS": lambda path: write_tif(path, CELLS, crs=None),
    "small": lambda path: write_tif(path, CELLS[:32, :32]),
}
"""Makes a file that is not what its item says."""


@pytest.mark.parametrize("what", UNUSABLE)
def test_unusable_file_of_an_item(
    tmp_path: Path, at_hand: dict[str, str], here: Command, what: str
) -> None:
    """An item says where its file lies; the file turns out to be of no use when it is opened.

    That is recorded as any other permanent failure: the run goes on, exit 3, and the rows of
    the layer are there and `failed`. Only a file on another grid is planned again.
    """
    hrefs = {"a": write_tif(tmp_path / "a.tif", CELLS), "bad": str(tmp_path / "bad.tif")}
    UNUSABLE[what](Path(hrefs["bad"]))
    items = [item(name, data=asset(href, CELLS.shape)) for name, href in hrefs.items()]
    (code, _, err), rows, failures = run_over(
        tmp_path, NINE,
        by=here, cluster=at_hand,
        source={"kind": "stac", "items": write_items(tmp_path / "items.json", items)},
        bands={"red": "data"}, group_by="item",
    )  # fmt: skip
    good = rows[rows["layer"] == "a"]
    assert (len(good), set(good["status"])) == (9, {"ok"})
    layer = rows[rows["layer"] == "bad"]
    if what == "small":
        assert (code, len(failures)) == (0, 0)
        assert (len(layer), set(layer["status"])) == (1, {"ok"})
        return
    assert code == 3
    assert "Traceback" not in err
    assert failures["layer"].tolist() == ["bad"]
    assert failures["permanent"].tolist() == [True]
    assert (len(layer), set(layer["status"])) == (9, {"failed"})
