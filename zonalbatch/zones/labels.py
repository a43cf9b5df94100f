"""Labels: zones as a raster of integers, each of which is the id of the zone that its cells make.

    strips ─► census (which labels, where the last cell) ─► strips ─► corners ─► rings ─► polygons

The pixels are read twice, strip by strip. Zones are given as soon as their last cell was seen, so
that memory holds the corners of those only that are under way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from zonalbatch.errors import ReadError, ZonesError
from zonalbatch.sources import Pixels, array_layers, open_pixels
from zonalbatch.sources.access import access_given
from zonalbatch.sources.secrets import shown
from zonalbatch.zones.corners import ABSENT
from zonalbatch.zones.shapes import Objects
from zonalbatch.zones.tracing import Census, Tracing

__all__ = ["Labels", "array_labels", "file_labels"]

STRIP = 2**20
"""Cells whose corners are looked for at once."""
READ = 2**26
"""Cells that are read at once, if blocks are that large."""
WIDEST = 90.0
"""Degrees of longitude that an edge may span: of longer ones it would be in doubt which way round
the Earth they go."""
LARGEST = 2.0**53
"""Floats from here on do not hold every integer."""

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """One band of a raster, each of whose values is a zone: the cells that have it.

    A zone need not be connected. Cells of nodata, NaN or masked by the file are in no zone; 0 is
    a label like others. Edges of zones run along edges of cells.
    """

    pixels: Pixels
    band: int
    """Number of the band, from 1."""
    name: str
    """What errors call it."""
    nodata: float | int | None
    """Raw value of cells that are in no zone; None if there is none."""
    crs: CRS
    """See `Source.crs`."""
    schema: pa.Schema = field(default_factory=lambda: pa.schema([("label", pa.int64())]))
    """The labels, which are the ids."""
    index: str = "label"
    """See `Source.index`."""
    hidden: frozenset[str] = frozenset({"label"})
    """See `Source.hidden`."""
    by_id: bool = True
    """See `Source.by_id`: zones come in the order in which they end."""

    def read(
        self, columns: list[str], size: int, tally: Counter[str]
    ) -> Iterator[tuple[pa.Table, Objects]]:
        """See `Source.read`."""
        try:
            for labels, shapes in self._zones():
                for start in range(0, len(labels), size):
                    some = slice(start, start + size)
                    yield pa.table(dict.fromkeys(columns, labels[some])), shapes[some]
        except ReadError as error:
            raise ZonesError(f"{self.name} cannot be read: {error}") from error
        finally:
            self.pixels.close()

    def refuse_columns(self, id: str | None, columns: Sequence[str] | None) -> None:
        """Raise if ids or columns are asked for: a raster has none beside its labels."""
        for name in (None if id == self.index else id, *(columns or ())):
            if name not in (None, "*"):
                raise ZonesError(
                    f"{self.name} is a raster of labels, which are the ids of its zones, and has "
                    f"no column {name!r}; leave id and columns out, and join columns to the result"
                )

    def _zones(self) -> Iterator[tuple[Integers, Objects]]:
        """Labels and shapes of zones, as they become whole."""
        census = Census(self.name)
        for strip, labels in enumerate(self._strips()):
            census.add(labels, strip)
        census.close()
        tracing = Tracing(census, self.pixels.header.grid)
        for strip, labels in enumerate(self._strips()):
            tracing.add(labels)
            yield from self._cut(tracing.whole(strip))
        yield from self._cut(tracing.end())

    def _cut(self, zones: Iterator[tuple[Integers, Objects]]) -> Iterator[tuple[Integers, Objects]]:
        """Zones without edges that span much of the Earth."""
        for labels, shapes in zones:
            if self.crs.is_geographic:
                left, _, right, _ = shapely.bounds(shapes).T
                wide = np.flatnonzero(right - left > WIDEST)
                shapes[wide] = shapely.segmentize(shapes[wide], WIDEST)
            yield labels, shapes

    def _strips(self) -> Iterator[Integers]:
        """(row, col) labels of whole rows, from the northernmost to the southernmost."""
        header = self.pixels.header
        (height, width), block = header.grid.shape, header.block[0]
        at_once = max(1, STRIP // width)
        whole = block * max(1, at_once // block)
        step = whole if whole * width <= READ else at_once
        for start in range(0, height, step):
            stop = min(start + step, height)
            rows = (height - stop, height - start) if header.grid.south_up else (start, stop)
            values, there = self._read(*rows)
            if header.grid.south_up:
                values, there = values[::-1], there[::-1]
            for row in range(0, len(values), at_once):
                some = slice(row, row + at_once)
                yield self._labels(values[some], there[some])

    def _read(self, top: int, bottom: int) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """The values of some rows, and which of their cells may be in a zone."""
        header = self.pixels.header
        window = (top, 0, bottom, header.grid.shape[1])
        (values,) = self.pixels.read([self.band], window)
        there = self.pixels.read_mask(window) if header.masked else np.full(values.shape, True)
        if self.nodata is not None:  # of NaN there is no zone anyway
            there = there & (values != self.nodata)
        if values.dtype.kind == "f":
            there = there & np.isfinite(values)
        return values, there

    def _labels(self, values: NDArray[Any], there: NDArray[np.bool_]) -> Integers:
        """Values as labels; `ABSENT` where there is no zone.

        Raises:
            ZonesError: a value is no integer of 64 bits.
        """
        if values.dtype.kind == "f":
            with np.errstate(invalid="ignore"):
                odd = there & ((values != np.rint(values)) | (np.abs(values) >= LARGEST))
        else:
            odd = there & (values > np.iinfo(np.int64).max) if values.dtype == "uint64" else None
        if odd is not None and odd.any():
            raise ZonesError(
                f"{self.name} holds {values[odd][0]!s}, which cannot be a zone's id; zones are "
                "numbered by integers (of less than 2^53 in floats): give a raster of labels"
            )
        with np.errstate(invalid="ignore"):
            return np.where(there, values.astype(np.int64), ABSENT)


def file_labels(path: str, band: int | None, *, trusted: bool = False) -> Labels:
    """The zones that a band of a raster file holds; one that may have others opened, if trusted.

    Raises:
        ZonesError: the file cannot be read or has no such band, or it has several and none is
            named.
        SourceError: it has no CRS, or a rotated grid.
    """
    pixels = open_pixels(path, access=access_given(None, trusted))
    try:
        count = len(pixels.header.dtypes)
    except ReadError as error:
        raise ZonesError(f"{shown(path)} cannot be read: {error}") from error
    return _labels_in(pixels, band, count, shown(path))


def array_labels(data: Any, band: int | None) -> Labels:
    """The zones that an xarray DataArray of labels holds.

    Raises:
        ZonesError: it has several times, or several bands and none is named.
        SourceError: it has no CRS, or no regular grid.
    """
    _, arrays = array_layers(data)
    if len(arrays) != 1:
        raise ZonesError(
            f"the array of labels has {len(arrays)} times or variables; select one of them"
        )
    (pixels,) = arrays.values()
    return _labels_in(pixels, band, len(pixels.header.dtypes), "the array of labels")


def _labels_in(pixels: Pixels, band: int | None, count: int, name: str) -> Labels:
    if band is None and count > 1:
        raise ZonesError(
            f"{name} has {count} bands; say which one holds the zones: a job by zones.band, "
            "zonal_stats by zone_band, the command line by --zone-band"
        )
    band = 1 if band is None else band
    if not 1 <= band <= count:
        raise ZonesError(f"{name} has no band {band}; it has {count}, counted from 1")
    header = pixels.header
    crs = CRS.from_user_input(header.grid.lattice.crs)
    return Labels(pixels, band, name, header.nodata[band - 1], crs)
