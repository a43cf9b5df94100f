"""Desk: what a process that answers questions keeps from one to the next."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Any

from zonalbatch.layers import Layers
from zonalbatch.planning.plan import on_one_lattice
from zonalbatch.service.links import href_of
from zonalbatch.service.settings import Settings
from zonalbatch.sources import Access, Band, Pixels, cog_layers, open_pixels
from zonalbatch.sources.access import Grant, access_given

__all__ = ["Desk", "OpenRaster"]

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
            self.pixels[href] = _KeptPixels(open_pixels(href, access=self.access))
        return self.pixels[href]


class Desk:
    """The settings and the rasters that are open. One question is answered at a time."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
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

    def raster(self, href: str, bands: tuple[int, ...], *, approximate: bool) -> OpenRaster:
        """Some bands of a file, opened less than a minute ago or now.

        Raises:
            ZonalbatchError: it cannot be read, or has no such band.
        """
        key, now = (href, bands, approximate), time.monotonic()
        found = self._open.get(key)
        if found is None or now - found.born > self.settings.fresh_seconds:
            found = self._opened(href, bands, approximate, now)
            self._open[key] = found
            if len(self._open) > FILES:
                self._open.popitem(last=False)
        self._open.move_to_end(key)
        return found

    def _opened(
        self, href: str, bands: tuple[int, ...], approximate: bool, now: float
    ) -> OpenRaster:
        access = self.access()
        found = cog_layers(
            files=[href], bands={f"band_{n}": Band(index=n) for n in bands}, access=access,
            resolution="approx" if approximate else None,
        )  # fmt: skip
        for failure in found.failures:
            raise failure.error
        layers = replace(found, layers=on_one_lattice(found.layers))
        return OpenRaster(layers, {}, access, now)
