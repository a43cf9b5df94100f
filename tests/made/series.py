"""A series of rasters with a block for each zone, and jobs over some of it, in this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas
import pytest

import zonalbatch as zb
from tests.made.rasters import BLOCKS, noise, write_tif
from tests.made.zones import squares
from zonalbatch import api
from zonalbatch.engine import Done
from zonalbatch.planning.plan import Plan
from zonalbatch.receipts import Report
from zonalbatch.results import Results
from zonalbatch.sinks.output import Output
from zonalbatch.sources.raster import RasterPixels
from zonalbatch.work.part import run_part

SIDE = 4
"""Blocks, and zones, in a row of the series and in a column."""
BLOCK = 32
"""Cells in a row of a block."""


class Killed(BaseException):
    """A run was killed: nothing of ours catches it."""


@dataclass
class Series:
    """Rasters by date, one band each, and what is read of them."""

    folder: Path
    read: set[tuple[str, int, int]] = field(default_factory=set)
    """(date, row, col) of each block that was asked for."""
    twice: list[tuple[str, int, int]] = field(default_factory=list)
    """Those that were asked for again."""
    survives: int | None = None
    """Parts after which a run is killed; None lets it end."""

    def date(self, number: int, seed: int = 0) -> str:
        """Write the raster of a date, one a month, again if the seed is another; its name."""
        name = f"{2020 + number // 12}{number % 12 + 1:02d}01"
        cells = noise(SIDE * BLOCK, SIDE * BLOCK, seed=100 * number + seed)
        write_tif(self.folder / f"s_{name}.tif", cells, nodata=0, **BLOCKS)
        return name

    def zones(self) -> geopandas.GeoDataFrame:
        """A zone inside of each block, numbered row by row."""
        return squares(SIDE, side=10.0 * BLOCK)

    def job(self, zones: geopandas.GeoDataFrame, dates: list[str], **keys: Any) -> zb.Job:
        """A job over some zones and dates."""
        files = [str(self.folder / f"s_{date}.tif") for date in dates]
        document: dict[str, Any] = {
            "zones": {"path": zones, "id": "id"},
            "source": {"kind": "cog", "files": files, "datetime_pattern": "%Y%m%d"},
            "bands": {"red": 1},
            "statistics": ["count", "mean", "median"],
            "output": {"path": str(self.folder / "out")},
        }
        output = document["output"] | keys.pop("output", {})
        return zb.Job(**document | keys | {"output": output})

    def run(
        self, zones: geopandas.GeoDataFrame, dates: list[str], *, prune: bool = False, **keys: Any
    ) -> Report:
        """Do the job; what is read is noted anew."""
        self.read.clear()
        self.twice.clear()
        return zb.run(self.job(zones, dates, **keys), prune=prune)

    def results(self, out: str = "out") -> Results:
        """What a run left."""
        return zb.open_results(self.folder / out)

    def fresh(self, zones: geopandas.GeoDataFrame, dates: list[str], **keys: Any) -> str:
        """The digest of a run into a folder of its own."""
        name = f"fresh{len(list(self.folder.glob('fresh*')))}"
        output = keys.pop("output", {}) | {"path": str(self.folder / name)}
        self.run(zones, dates, output=output, **keys)
        return self.results(name).digest

    def _note(self, pixels: RasterPixels, window: tuple[int, int, int, int]) -> None:
        top, left, bottom, right = window
        date = Path(pixels.href).stem.removeprefix("s_")
        for row in range(top // BLOCK, -(-bottom // BLOCK)):
            for col in range(left // BLOCK, -(-right // BLOCK)):
                if (date, row, col) in self.read:
                    self.twice.append((date, row, col))
                self.read.add((date, row, col))

    def execute(self, plan: Plan, output: Output, *_: object, **__: object) -> Done:
        """What the engine does, one part after the other."""
        done, there = Done(plan), output.done(part.id for part in plan.parts)
        for receipt in there.values():
            done.add(receipt)
        for number, part in enumerate(p for p in plan.parts if p.id not in there):
            if number == self.survives:
                raise Killed
            receipt = run_part(str(plan.folder), part.id, 2**30, 4, strict=False)
            done.computed += not receipt.mismatched
            done.rewritten += bool(receipt.source)
            done.add(receipt)
        return done


@contextmanager
def series(folder: Path) -> Iterator[Series]:
    """A series whose runs need no cluster, and whose reads are noted."""
    made, read = Series(folder), RasterPixels.read

    def noted(self: RasterPixels, bands: Any, window: tuple[int, int, int, int]) -> Any:
        made._note(self, window)
        return read(self, bands, window)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(api, "execute", made.execute)
        patched.setattr(RasterPixels, "read", noted)
        yield made
