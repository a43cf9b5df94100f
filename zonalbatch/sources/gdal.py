"""GDAL in this process: its settings, and how a file is opened."""

from __future__ import annotations

import functools
import os
import threading
import warnings
from contextlib import AbstractContextManager, ExitStack, nullcontext
from types import SimpleNamespace
from typing import Any

import rasterio

from zonalbatch.errors import SourceError
from zonalbatch.sources.causes import shown
from zonalbatch.sources.protocol import is_remote
from zonalbatch.sources.view import View

__all__ = ["configure_gdal", "lazy_array", "opened"]

GDAL_SETTINGS = {
    # Blocks are read once and in order, so GDAL's own cache need not be large (MB).
    "GDAL_CACHEMAX": "64",
    "GDAL_HTTP_MERGE_CONSECUTIVE_RANGES": "YES",
    "GDAL_HTTP_MULTIPLEX": "YES",
    "GDAL_HTTP_VERSION": "2TLS",
    # Waiting and trying again is the engine's business: it can do other work meanwhile.
    "GDAL_HTTP_MAX_RETRY": "0",
    "GDAL_HTTP_CONNECTTIMEOUT": "15",
    "GDAL_HTTP_TIMEOUT": "120",
}
"""GDAL settings of the process; an environment variable of the user's wins."""

_OPENING = threading.Lock()
"""rioxarray swaps the process's warning filters while it opens: one at a time."""


@functools.cache
def configure_gdal() -> None:
    """Set the process's GDAL options, once; what the user's environment says is kept."""
    for key, value in GDAL_SETTINGS.items():
        os.environ.setdefault(key, value)


def opened(view: View) -> Any:
    """A rasterio dataset."""
    configure_gdal()
    with _siblings(view.href):
        return rasterio.open(view.href, sharing=False, **_options(view))


def lazy_array(view: View) -> Any:
    """The file as a lazy DataArray (band, y, x) that reads raw pixels through one handle.

    Raises:
        SourceError: the file holds several rasters.
    """
    import rioxarray

    configure_gdal()
    with ExitStack() as stack:
        stack.enter_context(_siblings(view.href))
        if is_remote(view.href):
            # The slow part, the network, happens here, many at a time; GDAL keeps what it
            # fetched while this handle lives, so the opening under the lock asks for nothing.
            stack.enter_context(rasterio.open(view.href, sharing=False))
        stack.enter_context(_OPENING)
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")  # e.g. scales that differ: the header has them all
        array: Any = rioxarray.open_rasterio(
            view.href, cache=False, lock=False, masked=False, parse_coordinates=False,
            **_options(view),
        )  # fmt: skip
    if isinstance(array, list) or not hasattr(array, "variable"):
        raise SourceError(f"{shown(view.href)} holds several rasters; name one of its subdatasets")
    manager = array.rio._manager
    # rioxarray opens the file again in each thread; here one thread at a time uses it, so one
    # handle is enough, whichever thread that is.
    manager._local = SimpleNamespace(thread_manager=manager._local.thread_manager)
    return array


def _options(view: View) -> dict[str, Any]:
    return {} if view.overview is None else {"OVERVIEW_LEVEL": view.overview}


def _siblings(href: str) -> AbstractContextManager[Any]:
    """Look for side files (.ovr, .msk, .aux.xml) beside local rasters only.

    A remote folder costs a listing, or one request for each side file it might have.
    """
    if is_remote(href):
        return rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR")
    return nullcontext()
