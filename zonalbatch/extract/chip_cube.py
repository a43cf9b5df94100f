"""Chip cube: all chips as one Zarr array, (zone, time, y, x)."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zonalbatch.catalog.named import Named
from zonalbatch.errors import InputError, OutputError, SourceError
from zonalbatch.extract.pieces import Pieces
from zonalbatch.lattice import Lattice, crs_label

if TYPE_CHECKING:
    from zonalbatch.extract.chips import Chip

__all__ = ["ChipCube"]

NAME = "chips.zarr"


class ChipCube:
    """A cube in a folder; it has its name once it is whole, and replaces one that was there.

    Beside ``chips`` there are ``zone_id``, ``time`` (days since 1970; absent of what does not
    change), and ``left`` and ``top`` of each zone's corner, units of the CRS.
    """

    def __init__(
        self,
        folder: Path,
        of: Named,
        names: Sequence[Any],
        lattices: Mapping[str, Lattice],
        days: Mapping[str, Pieces],
        size: int,
    ) -> None:
        self.path, self.count = folder / NAME, 0
        self._names, self._of, self._size = names, of, size
        self._days = {day: at for at, day in enumerate(sorted(days))}
        self._pieces = _alike(days, of)
        self._lattice = _one(lattices, of)
        self._draft = folder / f".{NAME}-{uuid.uuid4().hex}"

    def __enter__(self) -> ChipCube:
        """Make the arrays.

        Raises:
            OutputError: they cannot be written.
        """
        try:
            import zarr
        except ModuleNotFoundError as error:
            raise InputError(
                f"a cube needs {error.name}; install it with: pip install 'zonalbatch[zarr]'"
            ) from None
        try:
            self._draft.parent.mkdir(parents=True, exist_ok=True)
            self._group = zarr.create_group(self._draft, attributes=self._attributes())
        except OSError as error:
            raise OutputError(f"{self.path} cannot be written ({error})") from error
        n, side, pieces = len(self._names), self._size, self._pieces
        self._chips = self._group.create_array(
            "chips", shape=(n, len(self._days), side, side), dtype=pieces.dtype,
            chunks=(1, len(self._days), side, side), fill_value=pieces.fill,
            dimension_names=("zone", "time", "y", "x"),
            attributes=self._look(),
        )  # fmt: skip
        self._corners = np.full((n, 2), np.nan)
        return self

    def __exit__(self, kind: Any, *how: object) -> None:
        """Write what is known of the zones, and give the cube its name."""
        try:
            if kind is None:
                self._finish()
        finally:
            shutil.rmtree(self._draft, ignore_errors=True)

    def keeps(self, zone: int, day: str, recipe: str) -> bool:
        """False: a cube is written as a whole."""
        return False

    def put(self, chip: Chip) -> None:
        """Write a chip."""
        assert chip.cells is not None
        self._chips[chip.zone, self._days[chip.day]] = chip.cells
        left, _, _, top = chip.frame.lattice.bounds(chip.frame.window)
        self._corners[chip.zone] = left, top
        self.count += 1

    def _finish(self) -> None:
        ids = np.array(self._names)
        ids = ids if ids.dtype.kind in "iu" else ids.astype(object)
        self._put("zone_id", ids, "zone")
        self._put("left", self._corners[:, 0], "zone")
        self._put("top", self._corners[:, 1], "zone")
        if "all" not in self._days:
            days = np.array(sorted(self._days), dtype="datetime64[D]").astype(np.int64)
            told = {"units": "days since 1970-01-01", "calendar": "proleptic_gregorian"}
            self._put("time", days, "time", told)
        try:
            if self.path.exists():
                self.path.rename(self._draft.with_name(f"{self._draft.name}-old"))
            self._draft.rename(self.path)
        except OSError as error:
            raise OutputError(
                f"{self.path} cannot be replaced ({error.strerror}); is another run at it?"
            ) from error
        finally:
            shutil.rmtree(self._draft.with_name(f"{self._draft.name}-old"), ignore_errors=True)

    def _put(self, name: str, values: Any, dim: str, told: Mapping[str, Any] | None = None) -> None:
        array = self._group.create_array(
            name, shape=values.shape, dimension_names=(dim,),
            dtype="string" if values.dtype == object else values.dtype,
            attributes=dict(told or {}),
        )  # fmt: skip
        array[:] = values

    def _look(self) -> dict[str, Any]:
        """What xarray masks and scales by, as CF has it."""
        says = self._pieces.says
        told: dict[str, Any] = {"long_name": self._of.variable.about}
        nodata = self._pieces.nodata
        if nodata is not None and nodata == nodata:  # NaN tells itself, and is no JSON
            told["nodata"] = nodata
        if says.units:
            told["units"] = says.units
        if (says.scale, says.offset) != (1.0, 0.0):
            told |= {"scale_factor": says.scale, "add_offset": says.offset}
        return told

    def _attributes(self) -> dict[str, Any]:
        data = self._of.data
        return {
            "dataset": self._of.told, "title": data.title, "crs": self._lattice.crs,
            "cell": [self._lattice.dx, self._lattice.dy], "license": data.license.text,
            "license_url": data.license.url, "citation": data.citation,
        }  # fmt: skip


def _alike(days: Mapping[str, Pieces], of: Named) -> Pieces:
    """What holds for the pieces of all days.

    Raises:
        SourceError: their types, nodata or scales differ.
    """
    first = next(iter(days.values()))
    told = {(one.dtype, repr(one.nodata), one.says.scale, one.says.offset) for one in days.values()}
    if len(told) > 1:
        raise SourceError(
            f"{of.told} has other types, nodata or scales on some days, which make no cube; use "
            "form='cog', or a shorter time"
        )
    return first


def _one(lattices: Mapping[str, Lattice], of: Named) -> Lattice:
    """The lattice of all days.

    Raises:
        SourceError: they have several.
    """
    first, *others = lattices.values()
    if any(one != first for one in others):
        raise SourceError(
            f"{of.told} has cells on several grids there, {crs_label(first.crs)} and others, "
            "which make no cube; use form='cog'"
        )
    return first
