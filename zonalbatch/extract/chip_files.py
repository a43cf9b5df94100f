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


class ChipFiles:
    """A folder that chips are written to; the table is written at the end."""

    def __init__(
        self, folder: Path, of: Named, names: Sequence[Any], days: Mapping[str, Pieces]
    ) -> None:
        self.path, self.count = folder, 0
        self._names, self._days = names, days
        self._stems = _stems(names)
        self._rows = list[dict[str, Any]]()
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
        """List what was written."""
        table = pa.Table.from_pylist(self._rows) if self._rows else pa.table({"file": []})
        pq.write_table(table, self.path / "chips.parquet")

    def put(self, chip: Chip) -> None:
        """Write a chip.

        Raises:
            OutputError: it cannot be written.
        """
        assert chip.cells is not None
        pieces, window = self._days[chip.day], chip.frame.window
        stem = self._stems[chip.zone]
        name = f"{stem}.tif" if chip.day == "all" else f"{stem}_{chip.day}.tif"
        write_cog(
            self.path / name, chip.frame, pieces.dtype, pieces.nodata, [(window, chip.cells)],
            self._looks[chip.day],
        )  # fmt: skip
        self.count += 1
        day = None if chip.day == "all" else chip.day
        self._rows.append({"zone_id": self._names[chip.zone], "day": day, "file": name})


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
