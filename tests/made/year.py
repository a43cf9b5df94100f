"""A year of four fields: clear, cloudy and broken scenes, and the result of a job over them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import zonalbatch as zb
from tests.made.rasters import BLOCKS, spoil, write_tif
from tests.made.series import series
from tests.made.zones import squares
from zonalbatch.results import Results

__all__ = ["BROKEN", "CLOUDY", "DATES", "HALF", "Year", "value", "year"]

DATES = tuple(f"2024{month:02d}{day:02d}" for month in range(1, 13) for day in (4, 19))
CLOUDY = ("20240204", "20240719")
"""Dates on which nobody saw anything."""
HALF = ("20240504", 1)
"""A date on which half of a field is seen, and the field."""
BROKEN = ("20240919", 2)
"""A date on which the pixels of a field cannot be read, and the field."""
SIDE = 32
"""Cells of a field with the gap about it, and of a block."""
BANDS = ("red", "green", "blue")


def value(date: str, zone: int) -> float:
    """The index of a field on a date: a season that peaks in May, higher in later fields."""
    day = np.datetime64(f"{date[:4]}-{date[4:6]}-{date[6:]}") - np.datetime64("2024-05-15")
    return float(0.2 + 0.05 * zone + 0.5 * np.exp(-((day.astype(int) / 60) ** 2)))


@dataclass(frozen=True)
class Year:
    """Scenes in a folder, and jobs over them in this process."""

    folder: Path

    def write(self) -> None:
        """Write the zones, and for each date an index, a mask and three bands of colour."""
        squares(2, side=10.0 * SIDE).to_parquet(self.folder / "zones.parquet")
        for date in DATES:
            self._scene(date)
        spoil(str(self.folder / f"y_{BROKEN[0]}_index.tif"), divmod(BROKEN[1], 2))

    def _scene(self, date: str) -> None:
        blocks = np.array([[value(date, 0), value(date, 1)], [value(date, 2), value(date, 3)]])
        noise = np.random.default_rng(int(date)).normal(0, 0.02, (2 * SIDE, 2 * SIDE))
        index = np.kron(blocks, np.ones((SIDE, SIDE))) + noise
        cloud = np.zeros((2 * SIDE, 2 * SIDE), "uint8")
        if date in CLOUDY:
            cloud[:] = 1
        if date == HALF[0]:
            cloud[: SIDE // 2, SIDE:] = 1
        bright = np.where(cloud, 4, 1)
        bands = {
            "index": index.astype("float32"), "cloud": cloud,
            "red": (1000 * (1 - index) * bright).astype("uint16"),
            "green": (800 * (1 + index) * bright).astype("uint16"),
            "blue": (np.full_like(index, 700) * bright).astype("uint16"),
        }  # fmt: skip
        for name, cells in bands.items():
            write_tif(self.folder / f"y_{date}_{name}.tif", cells, **BLOCKS)

    def run(self, out: str = "out", **keys: Any) -> Results:
        """The result of the job, varied by some keys."""
        document: dict[str, Any] = {
            "zones": {"path": str(self.folder / "zones.parquet"), "id": "id"},
            "source": {"kind": "cog", "pattern": str(self.folder / "y_{date:%Y%m%d}_{band}.tif")},
            "bands": {"index": "index", "cloud": "cloud"},
            "measurements": {"ndvi": "index"},
            "mask": {"band": "cloud", "exclude": [1]},
            "statistics": ["count", "mean", "std", "p10", "p90", "n_total"],
            "output": {"path": str(self.folder / out)},
        }
        with series(self.folder):
            zb.run(zb.Job(**document | keys))
        return zb.open_results(self.folder / out)


def year(folder: Path) -> Year:
    """A year whose scenes are written."""
    made = Year(folder)
    made.write()
    return made
