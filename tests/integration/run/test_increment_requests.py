"""Increments, counted where it costs: at the server that the scenes come from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas
import pytest
import rasterio

import zonalbatch as zb
from tests.made.rasters import noise, write_tif
from tests.made.scenes import asset, item, write_items
from tests.made.store import Store, serving
from tests.made.zones import squares

SIDE, BLOCK = 4, 256
"""Blocks, and zones, in a row of a raster; cells in a row of a block."""
HEADER = 32_768
"""Bytes that GDAL may ask for to open a file."""


class Served:
    """Dates behind a server, and runs over some of them."""

    def __init__(self, folder: Path, store: Store) -> None:
        self.folder, self.store = folder, store
        self.spans: dict[tuple[str, int, int], tuple[int, int]] = {}
        """(file, block row, block col) -> its first byte and the one after the last."""

    def date(self, number: int) -> dict[str, Any]:
        """Write the raster of a day; its item."""
        side = SIDE * BLOCK
        path = self.folder / "served" / f"d{number}.tif"
        profile: dict[str, Any] = {
            "tiled": True,
            "blockxsize": BLOCK,
            "blockysize": BLOCK,
            "compress": "deflate",
        }
        write_tif(path, noise(side, side, seed=number), nodata=0, **profile)
        with rasterio.open(path) as file:
            for row in range(SIDE):
                for col in range(SIDE):
                    at = int(file.get_tag_item(f"BLOCK_OFFSET_{col}_{row}", "TIFF", bidx=1))
                    size = int(file.get_tag_item(f"BLOCK_SIZE_{col}_{row}", "TIFF", bidx=1))
                    self.spans[path.name, row, col] = (at, at + size)
        told = asset(f"{self.store.url}/{path.name}", (side, side), nodata=0, data_type="uint16")
        return item(f"d{number}", date=f"2024-05-{number:02d}", red=told)

    def run(self, zones: geopandas.GeoDataFrame, items: list[dict[str, Any]]) -> None:
        """Do the job by a new worker, which knows of no file; what is asked is noted anew."""
        self.store.log.clear()
        job = zb.Job(
            zones={"path": zones, "id": "id"},
            source={"kind": "stac", "items": write_items(self.folder / "items.json", items)},
            bands={"red": "red"}, statistics=["count", "mean", "median"],
            output={"path": str(self.folder / "out")}, cluster={"kind": "local", "workers": 1},
        )  # fmt: skip
        zb.run(job)

    @property
    def blocks(self) -> set[tuple[str, int, int]]:
        """The blocks of which most bytes behind the header were asked for."""
        spans = [(one.path.lstrip("/"), *_span(one.headers["range"])) for one, _ in self.store.log
                 if "range" in one.headers]  # fmt: skip
        found = set()
        for (name, row, col), (start, stop) in self.spans.items():
            start = max(start, HEADER)
            got = sum(
                max(0, min(stop, last) - max(start, first))
                for asked, first, last in spans
                if asked == name
            )
            if got > 0.6 * (stop - start):
                found.add((name, row, col))
        return found


def _span(text: str) -> tuple[int, int]:
    """The first byte of a Range, and the one after the last."""
    first, last = text.removeprefix("bytes=").split("-")
    return int(first), int(last) + 1


def of(files: list[str], zones: list[int] | range) -> set[tuple[str, int, int]]:
    """The blocks of some zones in some files."""
    return {(name, *divmod(zone, SIDE)) for name in files for zone in zones}


@pytest.mark.long
def test_only_what_is_new_is_asked_for(tmp_path: Path) -> None:
    """The same job asks for nothing; a date, a field and an edit for exactly their blocks."""
    (tmp_path / "served").mkdir()
    zones = squares(SIDE, side=10.0 * BLOCK)
    first = zones.drop(index=6)
    moved = zones.set_geometry(zones.geometry.where(zones["id"] != 9, zones.translate(10.0, 0)))
    with serving(Store(tmp_path / "served")) as store:
        served = Served(tmp_path, store)
        items = [served.date(1), served.date(2)]
        served.run(first, items)
        assert served.blocks == of(["d1.tif", "d2.tif"], [i for i in range(16) if i != 6])
        served.run(first, items)
        assert store.log == []
        items.append(served.date(3))
        served.run(first, items)
        assert served.blocks == of(["d3.tif"], [i for i in range(16) if i != 6])
        assert {one.path for one, _ in store.log} == {"/d3.tif"}
        every = ["d1.tif", "d2.tif", "d3.tif"]
        served.run(zones, items)
        assert served.blocks == of(every, [6])
        served.run(moved, items)
        assert served.blocks == of(every, [9])
    rows = zb.open_results(tmp_path / "out").table.to_pandas()
    assert len(rows) == 48
    assert not rows.duplicated(["zone_id", "layer"]).any()
