"""Vetting: what a file must not be before anything else is asked of it."""

from __future__ import annotations

import math
import os
from contextlib import suppress
from typing import Any

import numpy as np

from zonalbatch.errors import PermanentReadError
from zonalbatch.sources.protocol import is_remote
from zonalbatch.sources.secrets import shown

__all__ = ["MAX_BLOCK", "TRUST", "refuse_bombs", "refuse_links", "refuse_pipe"]

MAX_BLOCK = 512 * 1024**2
"""Largest block that is decoded, bytes: a few bytes of a file can stand for any number of cells."""

TRUST = (
    "if you trust it, write trusted: true (in source or zones of a job; trusted=True in Python, "
    "--trusted on the command line)"
)
"""How the user lets a file have GDAL open others."""

_BESIDE = (".ovr", ".msk", ".ovr.msk", ".msk.ovr")
"""Ends of names of files beside a raster that GDAL opens, whatever they are."""
_OVERVIEW_STARTS = (b"II", b"MM", b"EHFA_HEADER_TAG")
"""First bytes of overviews and masks: TIFF and ERDAS Imagine."""


def refuse_pipe(path: str) -> None:
    """Raise a PermanentReadError if a path is of a pipe or a device: one may wait for ever."""
    if os.path.exists(path) and not (os.path.isfile(path) or os.path.isdir(path)):
        raise PermanentReadError(f"{path} is no plain file or folder, but a pipe or a device")


def refuse_bombs(handle: Any, href: str) -> None:
    """Raise a PermanentReadError if a block of an open dataset cannot be held."""
    together = handle.get_tag_item("INTERLEAVE", "IMAGE_STRUCTURE") == "PIXEL"
    for shape, dtype in zip(handle.block_shapes, handle.dtypes, strict=True):
        size = np.dtype("complex64" if dtype == "complex_int16" else dtype).itemsize
        block = math.prod(shape) * size * (handle.count if together else 1)
        if block > MAX_BLOCK:
            raise PermanentReadError(
                f"{shown(href)} says that one of its blocks has {shape[0]} × {shape[1]} cells, "
                f"{block / 1024**2:,.0f} MiB, and at most {MAX_BLOCK // 1024**2} MiB are decoded "
                "at once; write it in tiles (gdal_translate -co TILED=YES)"
            )


def refuse_links(handle: Any, href: str) -> None:
    """Raise a PermanentReadError if an open dataset, not trusted, has GDAL open other files.

    Its overviews may be named in its tags, and what lies beside it may be a description of others.
    """
    named = handle.get_tag_item("OVERVIEW_FILE", "OVERVIEWS")
    own = [] if is_remote(href) else [f"{href}{end}" for end in _BESIDE]
    if named is not None:  # Zarr has that tag, too
        if not is_remote(href) and named.startswith(href) and ".." not in named:
            own.append(named)
        else:
            raise PermanentReadError(f"{shown(href)} names another file for its overviews; {TRUST}")
    for path in own:
        with suppress(OSError, ValueError), open(path, "rb") as stream:
            if not stream.read(16).startswith(_OVERVIEW_STARTS):
                raise PermanentReadError(
                    f"{shown(path)} is no plain file of overviews or of a mask; {TRUST}"
                )
