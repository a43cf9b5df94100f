"""Source: what every origin of zones offers, be it a frame, a file or a raster."""

from __future__ import annotations

import warnings
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import pyarrow as pa
from pyproj import CRS

from zonalbatch.errors import ReadError, ZonesError
from zonalbatch.sources.secrets import shown
from zonalbatch.zones.shapes import Objects

__all__ = ["ROW", "Source", "explained"]

ROW = "row"
"""Stands for the row number where no column names the zones."""

READ_FAULTS = (
    ReadError,
    pa.ArrowException,
    zipfile.BadZipFile,
    OSError,
    RuntimeError,  # pyogrio's are of this kind
)


class Source(Protocol):
    """A frame, a file or a raster: knows its CRS and columns at once, gives its rows on demand."""

    @property
    def name(self) -> str:
        """What errors call it."""

    @property
    def index(self) -> str | None:
        """The column that names the zones if the user names none; None for the row number."""

    @property
    def hidden(self) -> frozenset[str]:
        """Columns that are there but not meant by ``*``."""

    @property
    def by_id(self) -> bool:
        """True if its rows have no order of their own: where all are held, they go by id."""

    @property
    def crs(self) -> CRS | None:
        """The CRS of the geometries, or None if the source does not say."""

    @property
    def schema(self) -> pa.Schema:
        """The columns beside the geometry."""

    def read(
        self, columns: list[str], size: int, tally: Counter[str]
    ) -> Iterator[tuple[pa.Table, Objects]]:
        """Rows in order, ``size`` at most at a time: the columns asked for, and the shapes."""


@contextmanager
def explained(name: str, tally: Counter[str]) -> Iterator[None]:
    """Turns errors of the readers into ZonesError, and their warnings into notes."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield
        except READ_FAULTS as error:
            told = shown(str(error))
            secret = told != str(error)  # which a traceback would tell with the cause
            cause = type(error)(told) if secret else error
            raise ZonesError(f"{shown(name)} cannot be read: {told}") from cause
    for warning in caught:
        tally[shown(f"{name}: {warning.message}")] = 1
