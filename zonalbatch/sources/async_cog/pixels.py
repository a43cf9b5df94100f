"""One COG, or an overview of it, read by ranges."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from zonalbatch.errors import ReadError, SourceError
from zonalbatch.sources.access import OPEN, Access, Grant, using
from zonalbatch.sources.async_cog.blocks import decoded, missing
from zonalbatch.sources.async_cog.fitness import UnfitError
from zonalbatch.sources.async_cog.head import Sheet
from zonalbatch.sources.async_cog.session import Session, session_by
from zonalbatch.sources.async_cog.tiff import TiffDirectory
from zonalbatch.sources.causes import read_error
from zonalbatch.sources.nodata import snapped
from zonalbatch.sources.protocol import Header
from zonalbatch.sources.raster_header import check_window
from zonalbatch.sources.servers import heeding
from zonalbatch.sources.view import View

__all__ = ["CogPixels", "asked_by_ranges", "asking", "directories_of"]

T = TypeVar("T")

_CHANGING = re.compile(
    r"Object at location .+? not found: |Error performing [A-Z]+ \S+ in [\d.]+[^\d\s]+ - "
)
"""What obstore says of a path and of how long it took: causes are counted by what else they say."""
BESIDE = (".ovr", ".msk", ".aux.xml")
"""Ends of what GDAL reads beside a local file: overviews, masks, and what else it says of it."""


class CogPixels:
    """A file or an overview of it; made without opening it. Any number of threads may read it."""

    def __init__(self, href: str, access: Access = OPEN) -> None:
        self.href = href
        self._access = access
        self._view = View.of(href)

    @property
    def header(self) -> Header:
        """What the file says of itself (opens it).

        Raises:
            UnfitError: it is left to GDAL.
            SourceError: the file has no CRS, a rotated grid, or pixels of an unusable kind.
            ReadError: it cannot be opened.
        """
        return using(self._access, self._view.href, lambda grant: _sheet(self._view, grant).header)

    def read(self, bands: Sequence[int], window: tuple[int, int, int, int]) -> NDArray[Any]:
        """Raw pixels, shape (band, row, col), of a half-open (top, left, bottom, right) window.

        Raises:
            UnfitError: it is left to GDAL.
            ReadError: the pixels cannot be read.
        """
        return using(
            self._access, self._view.href, lambda grant: self._values(grant, bands, window)
        )

    def read_mask(self, window: tuple[int, int, int, int]) -> NDArray[np.bool_]:
        """All true: a file that has a mask of its own is unfit."""
        top, left, bottom, right = window
        return np.ones((bottom - top, right - left), bool)

    def close(self) -> None:
        """Do nothing: what is kept of the file is the process's."""

    def _values(
        self, grant: Grant, bands: Sequence[int], window: tuple[int, int, int, int]
    ) -> NDArray[Any]:
        session, sheet = session_by(grant.reader), _sheet(self._view, grant)
        check_window(window, sheet.header.grid.shape, self.href)
        places = _places(window, sheet.header.block)
        blocks = dict(zip(places, self._blocks(session, sheet, grant, places), strict=True))
        return _joined(blocks, bands, window, sheet)

    def _blocks(
        self, session: Session, sheet: Sheet, grant: Grant, places: Sequence[tuple[int, int]]
    ) -> list[NDArray[Any]]:
        """Blocks by (column, row), of which those that are not kept are fetched and decoded."""
        keys = {place: (sheet.reading, self._view.overview, *place) for place in places}
        kept = {place: session.blocks.get(key) for place, key in keys.items()}
        lacking = [place for place, pixels in kept.items() if pixels is None]
        with asking(self._view, grant):
            packed = session.blocks_of(self._view, grant, lacking).result()
            for place, one in zip(lacking, packed, strict=True):
                pixels = missing(sheet) if one is None else decoded(one, sheet)
                if self._view.overview is not None:
                    pixels = np.stack(list(map(snapped, pixels, sheet.header.nodata)))
                session.blocks.put(keys[place], pixels)
                kept[place] = pixels
        return [pixels for pixels in kept.values() if pixels is not None]


def asked_by_ranges(href: str, grant: Grant, ask: Callable[[Any], T]) -> T:
    """What is asked of the rasterio dataset of a file, of which its head alone is read.

    Raises:
        UnfitError: it is left to GDAL.
        ReadError: it cannot be opened.
    """
    view = View.of(href)
    with asking(view, grant):
        return session_by(grant.reader).asked(view, grant, ask).result()


def directories_of(href: str, grant: Grant, make: Callable[[TiffDirectory], T]) -> list[T]:
    """What is made of each directory of a TIFF, wherever they lie in it.

    Raises:
        UnfitError: it is no TIFF, or obstore cannot read it as GDAL would.
        ReadError: it cannot be read.
    """
    view = View.of(href)
    with asking(view, grant):
        found = session_by(grant.reader).directories(view.href, grant)
        return [make(one) for one in found]  # whose values are fetched as they are asked for


def _sheet(view: View, grant: Grant) -> Sheet:
    if view.part or view.warp:
        raise UnfitError("its values are wanted in another form")
    beside = next((end for end in BESIDE if os.path.isfile(f"{view.href}{end}")), None)
    if beside is not None:
        raise UnfitError(f"a file {beside} lies beside it")
    with asking(view, grant):
        return session_by(grant.reader).sheet(view, grant).result()


@contextmanager
def asking(view: View, grant: Grant) -> Iterator[None]:
    """Turn what obstore raises, by whatever class, and broken blocks into a ReadError."""
    try:
        with heeding(view.href, grant):
            try:
                yield
            except (UnfitError, ReadError, SourceError, CancelledError):
                raise
            except Exception as error:
                raise _as_read_error(view, error) from None
    except ReadError:
        session_by(grant.reader).forget(view)
        raise


def _as_read_error(view: View, error: BaseException) -> ReadError:
    told = _CHANGING.sub("", str(error).partition("\n")[0]).rstrip(": ")
    return read_error(view.href, OSError(told or type(error).__name__))


def _places(window: tuple[int, int, int, int], block: tuple[int, int]) -> list[tuple[int, int]]:
    """The blocks, by (column, row), that a window lies in."""
    top, left, bottom, right = window
    rows = range(top // block[0], -(-bottom // block[0]))
    cols = range(left // block[1], -(-right // block[1]))
    return [(col, row) for row in rows for col in cols]


def _joined(
    blocks: dict[tuple[int, int], NDArray[Any]],
    bands: Sequence[int],
    window: tuple[int, int, int, int],
    sheet: Sheet,
) -> NDArray[Any]:
    """The pixels of a window, (band, row, col), of the blocks that it lies in."""
    top, left, bottom, right = window
    height, width = sheet.header.block
    index = [band - 1 for band in bands]
    out = np.empty((len(bands), bottom - top, right - left), sheet.header.dtypes[0])
    for (col, row), pixels in blocks.items():
        above, before = row * height, col * width
        first, last = max(top, above), min(bottom, above + height)
        begin, end = max(left, before), min(right, before + width)
        part = pixels[index, first - above : last - above, begin - before : end - before]
        out[:, first - top : last - top, begin - left : end - left] = part
    return out
