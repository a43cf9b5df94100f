"""Reading: the keys of how remote files are read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from zonalbatch.job.amounts import Bytes
from zonalbatch.job.group import Keys
from zonalbatch.sources.access.reader import Kind, Reader, reader_here

__all__ = ["ReaderKeys", "reader_short"]


def reader_short(value: Any) -> Any:
    """A reader by its kind alone, as keys."""
    return {"kind": value} if isinstance(value, str) else value


class ReaderKeys(Keys):
    """How remote files are read; text is the kind. No number follows from it. Null takes what the
    environment says (ZONALBATCH_READER, ZONALBATCH_OPEN_BYTES and so on), else the default."""

    kind: Kind | None = None
    """async reads Cloud Optimized GeoTIFF by ranges, rioxarray reads by GDAL; auto, the default,
    does the first where that gives the same bytes, and the second elsewhere."""
    open_bytes: Bytes | None = None
    """First bytes of a file that are fetched when it is opened; 32KiB."""
    header_cache: Bytes | None = None
    """Bytes of headers that a process keeps; 16MiB."""
    block_cache: Bytes | None = None
    """Bytes of decoded blocks that a process keeps; 64MiB."""
    merge_gap: Bytes | None = None
    """Bytes between two ranges up to which they are asked for as one; 8KiB."""

    def reader(self) -> Reader:
        """The settings as sources take them."""
        return replace(reader_here(), **self.model_dump(exclude_none=True))
