"""Layers: what was measured when, and in which files it lies."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from zonalbatch.errors import PassingReadError, PermanentReadError, ReadError
from zonalbatch.lattice import Grid

__all__ = ["Asset", "Failure", "Layer", "Layers"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One band of one file."""

    href: str
    """Path or URL, without a signature."""
    band: int
    """1-based index of the band in the file."""
    grid: Grid
    """Where its cells lie."""
    dtype: str | None = None
    """NumPy name of the pixels' type; None until the file is opened."""
    nodata: float | int | Literal["none"] | None = None
    """Raw value that means no data; "none": no value does; None: the file is asked when opened."""
    scale: float | None = None
    """Physical = raw × scale + offset; None means the file's own tags are asked."""
    offset: float | None = None
    """See ``scale``."""
    version: str | None = None
    """Checksum, ETag, or size and a digest of samples, where known without reading pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One acquisition: the bands that were measured together."""

    id: str
    """Unique within a job: the item id, or what the file names have in common."""
    datetime: dt.datetime | None
    """UTC, timezone-aware; None for undated rasters."""
    datetime_end: dt.datetime | None = None
    """UTC end of a range of time; None for an instant."""
    items: tuple[str, ...] = ()
    """Ids of the STAC items, or the paths of the files it was made of."""
    assets: Mapping[str, Asset]
    """Assets by band name. A band of the job that this layer lacks is absent here."""
    missing: Mapping[str, str] = field(default_factory=dict)
    """Band name → why it is absent (the file is missing, its header is corrupt)."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing that could not be read, and why."""

    layer: str
    """Layer id."""
    href: str
    """The file, without a signature; empty where there is none."""
    cause: str
    """One sentence."""
    permanent: bool
    """True if trying again will not help."""

    @classmethod
    def of(cls, layer: str, href: str, error: ReadError) -> Failure:
        """The failure that an error is evidence of."""
        return cls(layer, href, str(error), isinstance(error, PermanentReadError))

    @property
    def error(self) -> ReadError:
        """The error to raise where failures are not recorded."""
        return (PermanentReadError if self.permanent else PassingReadError)(self.cause)


@dataclass(frozen=True, slots=True, eq=False)
class Layers:
    """What a source offers: its layers in order of (datetime, id), and what it could not read."""

    layers: tuple[Layer, ...]
    failures: tuple[Failure, ...] = ()
    notes: tuple[str, ...] = ()
    """Sentences for the report: what was assumed or repaired."""
