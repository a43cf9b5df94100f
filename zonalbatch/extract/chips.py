"""Chips: the cells about each zone, of each day, for those who train models on them.

data set ─► pieces by day ─► windows of the zones ─► cells ─► a COG each, or one Zarr cube
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from zonalbatch import __version__
from zonalbatch.catalog.document import License
from zonalbatch.catalog.named import Named
from zonalbatch.cover.areas import AREAL
from zonalbatch.cover.outlines import outline
from zonalbatch.cover.rings import Objects
from zonalbatch.errors import InputError, ReadError
from zonalbatch.extract.asked import data_set_given
from zonalbatch.extract.frame import Frame, in_crs, native_lattice, outward
from zonalbatch.extract.mosaic import Mosaic
from zonalbatch.extract.pieces import Pieces, pieces_by_day
from zonalbatch.extract.stream import executor_of, read_ahead
from zonalbatch.extract.touched import touched
from zonalbatch.lattice import Lattice, Window
from zonalbatch.projections import transformer
from zonalbatch.searches.area import Area
from zonalbatch.shown import tracked
from zonalbatch.zones import open_zones

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["Chip", "Clipped", "Form", "clip"]

Form = Literal["cog", "zarr"]
LARGEST = 4096
"""Side of a chip, cells: what is larger is no chip, but an extract."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chip:
    """The cells about one zone on one day."""

    zone: int
    """Its place among the zones."""
    day: str
    """``2024-06-01``; ``all`` of what does not change."""
    frame: Frame
    recipe: str
    """Digest of what its cells follow from."""
    cells: NDArray[Any] | None
    """(row, col); None if there are none, or they could not be read."""
    cause: str
    """Why they could not be; empty if they could."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clipped:
    """What was written."""

    path: Path
    """The folder of COGs, or the Zarr cube."""
    chips: int
    """How many were written."""
    kept: int
    """How many were there already, of an earlier run."""
    outside: int
    """Pairs of zones and days without a file: the data set has nothing there."""
    failures: tuple[tuple[Any, str, str], ...]
    """Zone, day and cause of those that could not be read."""
    dataset: str
    license: License


def clip(
    dataset: Any,
    zones: Any,
    *,
    output_dir: str | os.PathLike[str],
    id: str | None = None,
    datetime: str | None = None,
    size: int | None = None,
    outside: Literal["keep", "nodata"] = "keep",
    form: Form = "cog",
    target_crs: str | None = None,
    client: Client | None = None,
    progress: bool = False,
) -> Clipped:
    """The pixels of a data set about each zone: a chip for each, and for each day.

    Chips lie on the source's own grid, and nothing is resampled. A chip that cannot be read is
    listed, and the others are written. Files that an earlier run wrote of the same pixels are kept,
    so that a run which was cut off goes on.

    Args:
        dataset: ``provider:variable``, as of `extract_raster`.
        zones: what `zonal_stats` takes.
        output_dir: folder of the chips, ``<zone>_<day>.tif``, and of ``chips.parquet``, which lists
            them; or of ``chips.zarr``, (zone, time, y, x).
        id: column of the zones' names; None takes the index.
        datetime: a span of time, of a data set that changes: as of `search`.
        size: side of a chip, cells, about the middle of its zone; None takes each zone's box, which
            a cube cannot have.
        outside: ``nodata`` blanks cells that the zone does not touch.
        form: ``cog`` or ``zarr``.
        target_crs: of the files that are taken, where they lie in several; none is warped.
        client: of a Dask cluster whose workers read; None reads in threads.
        progress: True shows a bar.

    Raises:
        InputError: an argument makes no sense.
        SourceError: there is no such data set, or nothing of it there.
        ReadError: its provider cannot be reached.
        OutputError: nothing can be written there.
    """
    of = data_set_given(dataset)
    _check(of, datetime, size, outside, form)
    reader = open_zones(zones, id=id)
    table, shapes = reader.whole()
    names = table["zone_id"].to_pylist()
    found = pieces_by_day(of, Area.of_zones(reader), datetime, "where the zones lie")
    days = {day: in_crs(of, pieces, target_crs) for day, pieces in found.items()}
    if outside == "nodata" and any(pieces.nodata is None for pieces in days.values()):
        raise InputError(f"{of.told} has no nodata to blank cells with; leave outside out")
    lattices = {day: native_lattice(of, pieces) for day, pieces in days.items()}
    writer = _writer(form, Path(output_dir), of, names, lattices, days, size)
    missed = kept = 0
    failures = list[tuple[Any, str, str]]()
    with writer:
        for day, pieces in days.items():
            mosaic = Mosaic(pieces, lattices[day], "nearest")
            frames = _frames(shapes, reader.crs, lattices[day], size)
            cuts = shapes if outside == "nodata" else [None] * len(names)
            asked = [
                _Call(
                    mosaic, i, day, frame, reader.crs, cuts[i], _recipe(of, pieces, frame, cuts[i])
                )
                for i, frame in frames.items()
            ]
            due = [call for call in asked if not writer.keeps(call.zone, day, call.recipe)]
            missed += len(names) - len(frames)
            kept += len(asked) - len(due)
            chips = _chips(mosaic, due, client)
            for chip in tracked(chips, f"chips, {day}", len(due)) if progress else chips:
                if chip.cause:
                    failures.append((names[chip.zone], day, chip.cause))
                elif chip.cells is None:
                    missed += 1
                else:
                    writer.put(chip)
    return Clipped(
        path=writer.path, chips=writer.count, kept=kept, outside=missed, failures=tuple(failures),
        dataset=of.told, license=of.data.license,
    )  # fmt: skip


def _check(of: Named, datetime: str | None, size: int | None, outside: str, form: str) -> None:
    if of.data.changes and datetime is None:
        raise InputError(f"{of.provider} changes; give datetime, such as '2024-06/2024-08'")
    if outside not in ("keep", "nodata"):
        raise InputError(f"outside={outside!r} is unknown; use keep or nodata")
    if form not in ("cog", "zarr"):
        raise InputError(f"form={form!r} is unknown; use cog or zarr")
    if form == "zarr" and size is None:
        raise InputError("the chips of a cube are of one size; give size, such as 128")
    whole = isinstance(size, int) and not isinstance(size, bool)
    if size is not None and not (whole and 0 < size <= LARGEST):
        raise InputError(f"size={size!r} is no side of a chip; give 1 to {LARGEST} cells")


def _writer(
    form: str,
    folder: Path,
    of: Named,
    names: Sequence[Any],
    lattices: dict[str, Lattice],
    days: dict[str, Pieces],
    size: int | None,
) -> Any:
    if form == "cog":
        from zonalbatch.extract.chip_files import ChipFiles

        return ChipFiles(folder, of, names, days)
    from zonalbatch.extract.chip_cube import ChipCube

    return ChipCube(folder, of, names, lattices, days, size or 0)


def _frames(shapes: Objects, crs: str, lattice: Lattice, size: int | None) -> Mapping[int, Frame]:
    """The cells about each zone, by its place; none of what the lattice's CRS does not show."""
    frames = dict[int, Frame]()
    for i, sides in enumerate(_bounds(shapes, crs, lattice).tolist()):
        if np.isnan(sides).any():
            continue
        window = outward(lattice, sides)
        if size is not None:
            row, col = (window.top + window.bottom) // 2, (window.left + window.right) // 2
            top, left = row - size // 2, col - size // 2
            window = Window(top, left, top + size, left + size)
        frames[i] = Frame(lattice, window)
    return frames


def _bounds(shapes: Objects, crs: str, lattice: Lattice) -> NDArray[np.float64]:
    """(zone, 4) left, bottom, right and top in the lattice's CRS; NaN of what it does not show."""
    areal = np.isin(shapely.get_type_id(shapes), AREAL)
    areas = shapes.copy()
    areas[~areal] = None
    found = outline(areas, crs, lattice.crs, cell=(lattice.dx, lattice.dy)).bounds
    onto = transformer(crs, lattice.crs)
    for i in np.flatnonzero(~areal & ~shapely.is_missing(shapes)):
        xy = shapely.get_coordinates(shapes[i])
        x, y = onto.transform(xy[:, 0], xy[:, 1])
        there = np.array([np.min(x), np.min(y), np.max(x), np.max(y)]) if len(xy) else np.empty(0)
        found[i] = there if there.size and np.isfinite(there).all() else np.nan
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Call:
    """A chip to be read, here or on a worker."""

    mosaic: Mosaic
    zone: int
    day: str
    frame: Frame
    crs: str
    """Of the zones."""
    cut: Any
    """The zone that cells are blanked outside of; None blanks none."""
    recipe: str

    def __call__(self) -> Chip:
        cells, cause = None, ""
        try:
            cells = _cells(self.mosaic, self.frame.window, self.crs, self.cut)
        except (ReadError, InputError) as error:
            cause = str(error)
        return Chip(
            zone=self.zone, day=self.day, frame=self.frame, recipe=self.recipe, cells=cells,
            cause=cause,
        )  # fmt: skip


def _chips(mosaic: Mosaic, due: Sequence[_Call], client: Client | None) -> Iterator[Chip]:
    """What calls give, in order; some are read ahead."""
    try:
        with executor_of(mosaic, client) as (executor, most):
            for _, made in read_ahead(((call.zone, call) for call in due), executor, most):
                yield made
    finally:
        mosaic.close()


def _recipe(of: Named, pieces: Pieces, frame: Frame, cut: Any) -> str:
    """Digest of all that a chip's cells follow from but the files' own bytes."""
    told = [
        __version__, of.told, pieces.items, pieces.dtype, repr(pieces.nodata), repr(frame),
        None if cut is None else shapely.to_wkb(cut, hex=True),
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def _cells(mosaic: Mosaic, window: Window, crs: str, zone: Any) -> NDArray[Any] | None:
    """The cells of a window; None if no file holds any of it."""
    if max(window.shape) > LARGEST:
        raise InputError(
            f"the zone is {window.shape} cells large, and a chip at most {LARGEST} a side; use "
            "extract, or give size"
        )
    if not any(mosaic.meets(piece, window) for piece in mosaic.pieces.files):
        return None
    cells, there = mosaic.read(window)
    mosaic.pieces.check(there)
    if zone is not None:
        cells[~touched(zone, crs, mosaic.lattice, window)] = mosaic.pieces.nodata
    return cells
