"""Desk: what a process that answers questions keeps from one to the next."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from zonalbatch.layers import Layers
from zonalbatch.service.links import href_of
from zonalbatch.service.settings import Settings
from zonalbatch.sources import Access, Pixels, open_pixels
from zonalbatch.sources.access import Grant, access_given
from zonalbatch.sources.async_cog.fitness import UnfitError
from zonalbatch.sources.async_cog.pixels import CogPixels

__all__ = ["Desk", "OpenRaster"]

READS = 64
"""At once, of files far away."""
FILES = 64
"""Rasters that are kept open."""
TIFFS = ("GTiff", "COG")
"""GDAL's drivers that read what strangers name: they open no other file, and no service."""


@dataclass(frozen=True, slots=True)
class TiffsOnly:
    """Files of one format, read by the right that another access gives."""

    by: Access

    @property
    def document(self) -> dict[str, Any]:
        """That of the other access."""
        return self.by.document

    def bare(self, href: str) -> str:
        """The link as it is: no result is kept that could hold it."""
        return href

    def grant(self, href: str) -> Grant:
        """As the other access has it, of this format."""
        return replace(self.by.grant(href), drivers=TIFFS)

    def refused(self, grant: Grant) -> None:
        """As the other access has it."""
        self.by.refused(grant)


class _KeptPixels:
    """Pixels that stay open for the next question."""

    def __init__(self, pixels: Pixels) -> None:
        self.header, self.read, self.read_mask = (pixels.header, pixels.read, pixels.read_mask)

    def close(self) -> None:
        """Stay open."""


@dataclass(frozen=True, slots=True, eq=False)
class OpenRaster:
    """A raster that is open, and may be for another question."""

    layers: Layers
    """One layer, with the bands that were asked for."""
    pixels: dict[str, Pixels]
    """By href, as files are opened."""
    access: Access
    born: float

    def opened(self, href: str) -> Pixels:
        """The pixels of a file, which stay open."""
        if href not in self.pixels:
            self.pixels[href] = _KeptPixels(_pixels(href, self.access))
        return self.pixels[href]


def _pixels(href: str, access: Access) -> Pixels:
    """A file, read by ranges if it can be, wherever it lies, as its decoded blocks are kept."""
    pixels = CogPixels(href, access)
    try:
        _ = pixels.header
    except UnfitError:
        return open_pixels(href, access=access)
    return pixels


class Desk:
    """The settings and the rasters that are open. One question is answered at a time."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.pool = ThreadPoolExecutor(READS, thread_name_prefix="read")
        """Where reads run; to start and end threads takes as long as a block's."""
        self._open: OrderedDict[Any, OpenRaster] = OrderedDict()

    def access(self) -> Access:
        """How files are read for one question, and for those that find them open."""
        sign = self.settings.sign or {"kind": "aws", "anonymous": True}
        return TiffsOnly(access_given(sign))

    def href(self, url: str) -> str:
        """A link of a question as the engine calls it.

        Raises:
            Refusal: it may not be asked for.
        """
        return href_of(url, self.settings.root)

    def kept(
        self, key: Hashable, opened: Callable[[Access], Layers], *, lasting: bool = False
    ) -> OpenRaster:
        """A raster that was opened less than a minute ago, or is opened now.

        Args:
            key: what tells it from others.
            opened: makes its layer, by an access.
            lasting: True if a file that took its place would have another key.
        """
        now, found = time.monotonic(), self._open.get(key)
        stale = found is not None and now - found.born > self.settings.fresh_seconds
        if found is None or (stale and not lasting):
            access = self.access()
            found = self._open[key] = OpenRaster(opened(access), {}, access, now)
            if len(self._open) > FILES:
                self._open.popitem(last=False)
        self._open.move_to_end(key)
        return found
