"""Chip files: a cloud-optimised GeoTIFF for each chip, and a table that lists them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from zonalbatch import __version__
from zonalbatch.catalog.named import Named
from zonalbatch.errors import InputError, OutputError
from zonalbatch.extract.look import look_of
from zonalbatch.extract.pieces import Pieces
from zonalbatch.extract.writing import write_cog

if TYPE_CHECKING:
    from zonalbatch.extract.chips import Chip

__all__ = ["ChipFiles"]

RECIPE = "RECIPE"
"""Tag of a file: digest of what its cells follow from."""


class ChipFiles:
    """A folder that chips are written to; the table is written at the end."""

    def __init__(
        self, folder: Path, of: Named, names: Sequence[Any], days: Mapping[str, Pieces]
    ) -> None:
        self.path, self.count = folder, 0
        self._names, self._days = names, days
        self._stems = _stems(names)
        self._there = list[tuple[int, str]]()
        self._looks = {day: _look(of, day, pieces) for day, pieces in days.items()}

    def __enter__(self) -> ChipFiles:
        """Make the folder.

        Raises:
            OutputError: it cannot be made.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{self.path} cannot be made ({error.strerror})") from error
        return self

    def __exit__(self, *how: object) -> None:
        """List what is there."""
        ids = pa.array(self._names)
        zones = pa.array([zone for zone, _ in sorted(self._there)], pa.int64())
        days = [None if day == "all" else day for _, day in sorted(self._there)]
        files = [self._name(*one) for one in sorted(self._there)]
        table = pa.table({
            "zone_id": ids.take(zones), "day": pa.array(days, pa.string()),
            "file": pa.array(files, pa.string()),
        })  # fmt: skip
        pq.write_table(table, self.path / "chips.parquet")

    def keeps(self, zone: int, day: str, recipe: str) -> bool:
        """True if an earlier run wrote a zone's chip of a day by the same recipe; it is listed."""
        import rasterio
        from rasterio.errors import RasterioError

        name = self._name(zone, day)
        if not (self.path / name).is_file():
            return False
        try:
            with rasterio.open(self.path / name) as file:
                same = file.tags().get(RECIPE) == recipe
        except RasterioError:
            return False
        if same:
            self._there.append((zone, day))
        return bool(same)

    def put(self, chip: Chip) -> None:
        """Write a chip.

        Raises:
            OutputError: it cannot be written.
        """
        assert chip.cells is not None
        pieces, look = self._days[chip.day], dict(self._looks[chip.day])
        look["tags"] = look["tags"] | {RECIPE: chip.recipe}
        write_cog(
            self.path / self._name(chip.zone, chip.day), chip.frame, pieces.dtype, pieces.nodata,
            [(chip.frame.window, chip.cells)], look,
        )  # fmt: skip
        self.count += 1
        self._there.append((chip.zone, chip.day))

    def _name(self, zone: int, day: str) -> str:
        stem = self._stems[zone]
        return f"{stem}.tif" if day == "all" else f"{stem}_{day}.tif"


def _look(of: Named, day: str, pieces: Pieces) -> dict[str, Any]:
    told = {
        "dataset": of.told, "title": of.data.title, "items": list(pieces.items), "day": day,
        "citation": of.data.citation, "software": f"zonalbatch {__version__}",
    }  # fmt: skip
    return look_of(of, pieces, told)


def _stems(names: Sequence[Any]) -> list[str]:
    """Names of files, one for each zone.

    Raises:
        InputError: two zones would have the same.
    """
    stems = [re.sub(r"[^\w.+-]+", "_", str(name)) for name in names]
    twice = [stem for stem, count in Counter(stem.lower() for stem in stems).items() if count > 1]
    if twice:
        raise InputError(f"several zones would be written to {twice[0]}.tif; give another id")
    return stems
