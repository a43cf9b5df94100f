"""An open COG: what it says of itself, its tiles, and arrays for any box."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from zonalbatch.cog.directories import Directory
from zonalbatch.cog.expressions import evaluated
from zonalbatch.cog.facts import Facts
from zonalbatch.cog.frame import (
    Bounds,
    Frame,
    Resampling,
    brought,
    check_resampling,
    check_window,
    frame_of,
    level_for,
    transform_of,
    window_of,
)
from zonalbatch.cog.given import a_box, a_number, a_whole
from zonalbatch.cog.threads import in_thread
from zonalbatch.errors import InputError
from zonalbatch.lattice import Grid
from zonalbatch.sources.access import Access, access_given, using
from zonalbatch.sources.async_cog.fitness import UnfitError
from zonalbatch.sources.async_cog.pixels import CogPixels, asked_by_ranges, directories_of
from zonalbatch.sources.async_cog.session import Session, session_by
from zonalbatch.sources.async_cog.trial import Trial, tried_on
from zonalbatch.sources.crs import crs_text
from zonalbatch.sources.file import FilePixels
from zonalbatch.sources.nodata import held_nodata
from zonalbatch.sources.protocol import Header, is_remote
from zonalbatch.sources.raster_header import asked_of
from zonalbatch.sources.secrets import shown
from zonalbatch.sources.view import View

__all__ = ["Cog", "open_cog"]

T = TypeVar("T")


@asynccontextmanager
async def open_cog(href: str, *, sign: Any = None, trusted: bool = False) -> AsyncIterator[Cog]:
    """Open a COG, or any raster, for asyncio.

    Args:
        href: URL (http, https, s3, gs, az) or path.
        sign: what it takes to read it, as in a job.
        trusted: True reads also what may have other files opened.

    Raises:
        SourceError: it has no CRS, a rotated grid, or pixels of an unusable kind.
        ReadError: it cannot be opened.
    """
    cog = await _opened(href, access_given(sign, trusted))
    try:
        yield cog
    finally:
        for pixels in cog._pixels.values():
            await in_thread(pixels.close)


async def _opened(href: str, access: Access) -> Cog:
    """A COG whose header is known."""

    def look() -> Cog:
        session = session_by(access.grant(href).reader)
        facts = using(access, href, lambda grant: _asked(href, access, grant, Facts.of))
        pixels = FilePixels(href, access)
        header, unfit = pixels.header, _unfit(href, access)
        ifds = tuple(_directories(href, access))
        return Cog(href, access, session, facts, header, unfit, ifds, {None: pixels})

    return await in_thread(look)


def _unfit(href: str, access: Access) -> str | None:
    """Why a file is left to GDAL; None if it is not."""
    if access.grant(href).reader.kind == "rioxarray":
        return "the reader is rioxarray"
    try:
        _ = CogPixels(href, access).header
    except UnfitError as unfit:
        return str(unfit)
    return None


def _asked(href: str, access: Access, grant: Any, ask: Callable[[Any], T]) -> T:
    if is_remote(href):  # of a local file GDAL knows also what lies beside it
        with suppress(UnfitError):
            return asked_by_ranges(href, grant, ask)
    return asked_of(View.of(href), access, ask)


def _directories(href: str, access: Access) -> list[Directory]:
    """Those of a TIFF; none of another file."""
    try:
        return using(access, href, lambda grant: directories_of(href, grant, Directory.of))
    except UnfitError:
        return []


@dataclass(frozen=True, eq=False)
class Cog:
    """A COG that is open; made by `open_cog`."""

    href: str
    _access: Access
    _session: Session
    """Held, so that what is known of the file is kept while it is open."""
    _facts: Facts
    _header: Header
    left_to_gdal: str | None
    """Why it is not read by ranges; None if it is."""
    ifds: tuple[Directory, ...]
    """Its directories: the file, its overviews and masks; none if it is no TIFF."""
    _pixels: dict[int | None, FilePixels]
    """By level of overview."""

    def __repr__(self) -> str:
        """Name the file, without a signature."""
        return f"Cog({shown(self.href)!r})"

    def __getattr__(self, name: str) -> Any:
        """What `Facts` tells: profile, bounds, crs, epsg, nodata, scales, colormap and so on."""
        if name.startswith("_") or name not in Facts.__dataclass_fields__:
            raise AttributeError(f"a Cog has no attribute {name!r}")
        return getattr(self._facts, name)

    @property
    def grid(self) -> Grid:
        """Where its cells lie."""
        return self._header.grid

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self._header.grid.shape

    @property
    def requests(self) -> int:
        """How many requests were made for it so far."""
        return self._session.traffic.requests

    @property
    def bytes_read(self) -> int:
        """How many bytes they asked for."""
        return self._session.traffic.bytes

    @property
    def block(self) -> tuple[int, int]:
        """Height and width of a block, cells."""
        return self._header.block

    async def tried(self, places: Sequence[tuple[int, int]]) -> Trial:
        """How long blocks by (column, row) take, which are fetched and decoded for it."""
        return await in_thread(tried_on, self.href, self._access, places)

    async def get_tile(self, x: int, y: int, z: int = 0) -> NDArray[Any]:
        """A tile as it lies in the file, (band, row, col); masked where pixels may be no data.

        Args:
            x: column of tiles, from 0.
            y: row of tiles, from 0 at the first row of the file.
            z: 0 is the file itself, 1 its first overview, and so on.

        Raises:
            InputError: there is no such tile.
            ReadError: it cannot be read.
        """
        return await in_thread(self._tile, x, y, z)

    async def read(
        self,
        bounds: Bounds | None = None,
        *,
        crs: str | int | None = None,
        shape: tuple[int, int] | None = None,
        max_size: int | None = None,
        bands: Sequence[int] | None = None,
        expression: str | None = None,
        resampling: Resampling = "nearest",
        fill: float | None = None,
    ) -> NDArray[Any]:
        """An array for a box, (band, row, col), from the overview that is fine enough.

        Where the box is not on the file, cells hold ``fill`` and are masked. Values are raw, as
        rasterio gives them: scale and offset are not applied.

        Args:
            bounds: (left, bottom, right, top); None takes the file's.
            crs: of the bounds; None takes the file's. The array is in the file's CRS.
            shape: rows and columns; None takes as many as the file has.
            max_size: the longer side is no more than this, where there is no shape.
            bands: 1-based; None takes all.
            expression: of bands b1, b2 and so on, such as ``(b4 - b3) / (b4 + b3)``; one band.
            resampling: how pixels are brought to other cells.
            fill: of cells without data; None takes nodata, else 0.

        Raises:
            InputError: the box is empty, or there is no such band.
            ReadError: it cannot be read.
        """
        box = bounds if crs is None or bounds is None else self.box_of(bounds, crs)
        frame = frame_of(self._header.grid, box, shape, max_size)
        return await self.framed(
            frame, bands=bands, expression=expression, resampling=resampling, fill=fill
        )

    async def tile(
        self, x: int, y: int, z: int, *, tms: str = "WebMercatorQuad", size: int = 256, **how: Any
    ) -> NDArray[Any]:
        """A tile of a web map, (band, row, col).

        Args:
            x: column.
            y: row.
            z: zoom.
            tms: a tile matrix set that morecantile knows.
            size: rows and columns.
            how: bands, expression, resampling and fill, as of `read`.

        Raises:
            InputError: morecantile is not installed, or knows no such set.
        """
        from zonalbatch.cog.tiles import frame_of_tile

        return await self.framed(frame_of_tile(tms, x, y, z, size), **how)

    async def framed(
        self,
        frame: Frame,
        *,
        bands: Sequence[int] | None = None,
        expression: str | None = None,
        resampling: Resampling = "nearest",
        fill: float | None = None,
    ) -> NDArray[Any]:
        """As `read`, for a frame in any CRS."""
        check_resampling(resampling)
        a_number("fill", fill)
        if expression is None:
            return await in_thread(self._framed, frame, bands, resampling, fill)
        found = await in_thread(self._framed, frame, None, resampling, None)
        names = {f"b{number}": band for number, band in enumerate(found, 1)}
        return await in_thread(evaluated, expression, names, fill)

    def box_of(self, bounds: Bounds, crs: str | int) -> Bounds:
        """A box of another CRS in the file's."""
        text = crs_text(f"EPSG:{crs}" if isinstance(crs, int) else crs)
        return Frame(text, a_box(bounds), (1, 1)).bounds_in(self._header.grid.lattice.crs)

    def _level(self, level: int | None) -> FilePixels:
        href = self.href if level is None else f"view:overview={level}:{self.href}"
        return self._pixels.setdefault(level, FilePixels(href, self._access))

    def _tile(self, x: int, y: int, z: int) -> NDArray[Any]:
        x, y, z = (
            a_whole(f"{name} of a tile", one, 0) for name, one in (("x", x), ("y", y), ("z", z))
        )
        if not 0 <= z <= len(self._facts.overviews):
            raise InputError(f"{self!r} has no level {z}, but {len(self._facts.overviews) + 1}")
        pixels = self._level(z - 1 if z else None)
        header = pixels.header
        (rows, cols), (height, width) = header.block, header.grid.shape
        if not (0 <= y * rows < height and 0 <= x * cols < width):
            raise InputError(f"{self!r} has no tile {x}, {y} in level {z}")
        window = y * rows, x * cols, min(height, (y + 1) * rows), min(width, (x + 1) * cols)
        values, valid = self._valid(pixels, self._bands(None), window)
        beyond = [(0, 0), (0, rows - values.shape[1]), (0, cols - values.shape[2])]
        fill = self._fill(None)
        values = np.pad(values, beyond, constant_values=fill)
        return self._masked(values, np.pad(valid, beyond), fill)

    def _framed(
        self, frame: Frame, bands: Sequence[int] | None, resampling: Resampling, fill: float | None
    ) -> NDArray[Any]:
        level = level_for(self._header.grid, self._factors, frame)
        pixels = self._level(level)
        window = window_of(pixels.header.grid, frame)
        check_window(window, repr(self))
        values, valid = self._valid(pixels, self._bands(bands), window)
        found, there = brought(
            values, valid, transform_of(pixels.header.grid, window),
            self._header.grid.lattice.crs, frame, resampling, self._fill(fill),
        )  # fmt: skip
        return self._masked(found, there, self._fill(fill))

    @property
    def _factors(self) -> tuple[float, ...]:
        """How many times larger the cells of each overview are, by its directory's size."""
        smaller = [one for one in self.ifds[1:] if not one.is_mask]
        if len(smaller) == len(self._facts.overviews):
            return tuple(self.ifds[0].width / one.width for one in smaller)
        return tuple(map(float, self._facts.overviews))

    def _valid(
        self, pixels: FilePixels, bands: Sequence[int], window: tuple[int, int, int, int]
    ) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Pixels of a window, and which of them are data."""
        values = pixels.read(bands, window)
        valid = np.ones(values.shape, bool)
        if pixels.header.masked:
            valid &= pixels.read_mask(window)
        for band, one, there in zip(bands, values, valid, strict=True):
            nodata = self._header.nodata[band - 1]
            if nodata is not None:
                there &= ~np.isnan(one) if nodata != nodata else one != nodata
        return values, valid

    def _bands(self, bands: Sequence[int] | None) -> Sequence[int]:
        count = len(self._header.dtypes)
        if bands is None:
            return range(1, count + 1)
        if isinstance(bands, str) or not isinstance(bands, Iterable):
            raise InputError(f"bands is {bands!r}; give a list of numbers from 1")
        found = [a_whole("a band", band, 1) for band in bands]
        if not found or max(found) > count:
            raise InputError(f"{self!r} has bands 1 to {count}, and {found} are asked for")
        return found

    def _fill(self, fill: float | None) -> float:
        dtype = self._header.dtypes[0]
        if fill is not None and held_nodata(fill, dtype) is None:
            raise InputError(f"{self!r} holds {dtype}, which cannot be filled with {fill}")
        return next((one for one in (fill, self._header.nodata[0]) if one is not None), 0)

    def _masked(self, values: NDArray[Any], valid: NDArray[np.bool_], fill: float) -> NDArray[Any]:
        """A masked array where pixels may be no data, or are not there."""
        if valid.all() and not self._facts.is_masked:
            return values
        return np.ma.masked_array(values, ~valid, fill_value=fill)
