"""Raster: the front door, from a data set's name and a box to a file."""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from zonalbatch import __version__
from zonalbatch.errors import InputError, OutputError
from zonalbatch.extract.asked import Asked, asked_for
from zonalbatch.extract.cells import Cells
from zonalbatch.extract.extracted import Extracted
from zonalbatch.extract.frame import frame_of, in_crs
from zonalbatch.extract.look import look_of
from zonalbatch.extract.mosaic import Mosaic
from zonalbatch.extract.pieces import Pieces, pieces_of
from zonalbatch.extract.stream import streamed
from zonalbatch.extract.writing import write_cog
from zonalbatch.lattice import Window
from zonalbatch.shown import tracked

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["extract_raster"]


def extract_raster(
    dataset: Any,
    *,
    bbox: Sequence[float] | None = None,
    zones: Any = None,
    output_dir: str | os.PathLike[str],
    target_resolution: float | None = None,
    resampling: str = "nearest",
    filename: str | None = None,
    datetime: str | None = None,
    target_crs: str | None = None,
    client: Client | None = None,
    progress: bool = False,
) -> Extracted:
    """The pixels of a data set about a box, as one cloud-optimised GeoTIFF.

    The box is grown outward by less than a cell on each side to the source's own grid; all files
    that meet it are put together without a seam; cells without data are nodata. Nothing is
    resampled but files whose cells lie aside of the others', and all if ``target_resolution`` is
    given. Memory does not grow with the box.

    Args:
        dataset: ``provider:variable``, as ``zonalbatch datasets`` lists them, or with the path of a
            file of one's own: ``own.yaml:elevation``.
        bbox: west, south, east and north, degrees.
        zones: whose box is taken; what `zonal_stats` takes.
        output_dir: folder of the file; it is made.
        target_resolution: side of a cell, units of the source's CRS; None takes its own.
        resampling: ``nearest``, ``bilinear``, ``cubic`` or ``average``.
        filename: of the file; None makes one of the data set and the box.
        datetime: of a data set that changes: a day.
        target_crs: the source's; another one is refused, as pixels are not warped.
        client: of a Dask cluster whose workers read; None reads in threads.
        progress: True shows a bar.

    Returns:
        Path, CRS, shape, transform, nodata, licence and provenance.

    Raises:
        InputError: an argument makes no sense.
        SourceError: there is no such data set, or nothing of it about the box.
        ReadError: its provider cannot be reached, or a file cannot be read.
        OutputError: the file cannot be written.
    """
    asked = asked_for(
        dataset, bbox=bbox, zones=zones, datetime=datetime, target_resolution=target_resolution,
        resampling=resampling, target_crs=target_crs,
    )  # fmt: skip
    path = _path(asked, output_dir, filename)
    pieces = in_crs(asked.of, pieces_of(asked), asked.target_crs)
    own, frame = frame_of(asked, pieces)
    # There is no mean of classes, also where files' cells lie aside of each other.
    how = asked.resampling if asked.of.variable.type == "continuous" else "nearest"
    mosaic = Mosaic(pieces, own.lattice, how)
    cells = Cells(mosaic, frame, how)
    aside = any(piece.grid.on(own.lattice) is None for piece in pieces.files)
    told = provenance(asked, pieces, how if aside or asked.target_resolution else None)
    look = look_of(asked.of, pieces, told)
    windows: Iterable[tuple[Window, NDArray[Any]]] = streamed(cells, client)
    if progress:
        windows = tracked(windows, path.name, sum(1 for _ in cells.windows()))
    write_cog(path, frame, pieces.dtype, pieces.nodata, windows, look)
    return Extracted(
        path=path, crs=frame.lattice.crs, shape=frame.window.shape, transform=frame.transform,
        nodata=pieces.nodata, license=asked.of.data.license, provenance=told,
        dataset=asked.of.told,
    )  # fmt: skip


def provenance(asked: Asked, pieces: Pieces, resampling: str | None) -> dict[str, Any]:
    """What a file is made of; ``resampling`` is None where no cell was resampled."""
    place = asked.of.data.place
    return {
        "dataset": asked.of.told,
        "title": asked.of.data.title,
        "provider": getattr(place, "api", None) or getattr(place, "url", None),
        "items": list(pieces.items),
        "bbox": list(asked.box),
        "datetime": asked.datetime,
        "resampling": resampling,
        "citation": asked.of.data.citation,
        "software": f"zonalbatch {__version__}",
        "made": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
    }


def _path(asked: Asked, folder: str | os.PathLike[str], filename: str | None) -> Path:
    """Where the file goes.

    Raises:
        InputError: the name leads elsewhere.
        OutputError: the folder cannot be made.
    """
    if filename is None:
        size = asked.target_resolution
        coarser = () if size is None else (f"{size:.12g}", asked.resampling)
        parts = (asked.of.told, *(f"{side:.12g}" for side in asked.box), asked.datetime, *coarser)
        filename = re.sub(r"[^\w.+-]+", "_", "_".join(filter(None, parts))) + ".tif"
    if (
        Path(filename).name != filename
        or filename.startswith(".")
        or not filename.lower().endswith((".tif", ".tiff"))
    ):
        raise InputError(f"filename {filename!r} is no name of a GeoTIFF, such as dem.tif")
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} cannot be made ({error.strerror}); name another") from error
    return Path(folder) / filename
