"""Chips: the cells about each zone, of each day, for those who train models on them.

data set ─► pieces by day ─► windows of the zones ─► cells ─► a COG each, or one Zarr cube
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import shapely
from numpy.typing import NDArray

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
from zonalbatch.zones import open_zones

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
    cells: NDArray[Any] | None
    """(row, col); None if they could not be read."""
    cause: str
    """Why there are none; empty if there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clipped:
    """What was written."""

    path: Path
    """The folder of COGs, or the Zarr cube."""
    chips: int
    """How many there are."""
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
) -> Clipped:
    """The pixels of a data set about each zone: a chip for each, and for each day.

    Chips lie on the source's own grid, and nothing is resampled. A chip that cannot be read is
    listed, and the others are written.

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
    missed, failures = 0, list[tuple[Any, str, str]]()
    with writer:
        for day, pieces in days.items():
            windows = _windows(shapes, reader.crs, lattices[day], size)
            for chip in _chips(day, pieces, lattices[day], windows, reader.crs, shapes, outside):
                if chip.cause:
                    failures.append((names[chip.zone], day, chip.cause))
                elif chip.cells is None:
                    missed += 1
                else:
                    writer.put(chip)
    return Clipped(
        path=writer.path, chips=writer.count, outside=missed, failures=tuple(failures),
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


def _windows(shapes: Objects, crs: str, lattice: Lattice, size: int | None) -> list[Window | None]:
    """The window of each zone; None of one that the lattice's CRS does not show."""
    bounds = _bounds(shapes, crs, lattice)
    windows = list[Window | None]()
    for sides in bounds.tolist():
        window = None if np.isnan(sides).any() else outward(lattice, sides)
        if window is not None and size is not None:
            row, col = (window.top + window.bottom) // 2, (window.left + window.right) // 2
            top, left = row - size // 2, col - size // 2
            window = Window(top, left, top + size, left + size)
        windows.append(window)
    return windows


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


def _chips(
    day: str,
    pieces: Pieces,
    lattice: Lattice,
    windows: Sequence[Window | None],
    crs: str,
    shapes: Objects,
    outside: str,
) -> Iterator[Chip]:
    """A chip for each zone, in order, some read ahead."""
    mosaic = Mosaic(pieces, lattice, "nearest")

    def chip(i: int, window: Window) -> Chip:
        frame, cells, cause = Frame(lattice, window), None, ""
        try:
            cells = _cells(mosaic, window, crs, shapes[i] if outside == "nodata" else None)
        except (ReadError, InputError) as error:
            cause = str(error)
        return Chip(zone=i, day=day, frame=frame, cells=cells, cause=cause)

    calls = (
        (i, partial(chip, i, window)) for i, window in enumerate(windows) if window is not None
    )
    try:
        with executor_of(mosaic) as (executor, most):
            for _, made in read_ahead(calls, executor, most):
                yield made
    finally:
        mosaic.close()
    for i, window in enumerate(windows):
        if window is None:
            none = Frame(lattice, Window(0, 0, 0, 0))
            yield Chip(zone=i, day=day, frame=none, cells=None, cause="")


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
