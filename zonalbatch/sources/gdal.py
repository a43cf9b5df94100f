"""GDAL in this process: its settings, and how a file is opened."""

from __future__ import annotations

import functools
import logging
import os
import re
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any

import rasterio
from rasterio.errors import RasterioError

from zonalbatch.errors import SourceError
from zonalbatch.sources.access.grant import Grant
from zonalbatch.sources.drivers import drivers_of, opened_by
from zonalbatch.sources.links import refuse_name
from zonalbatch.sources.protocol import is_remote
from zonalbatch.sources.secrets import shown
from zonalbatch.sources.vetting import refuse_bombs, refuse_links, refuse_pipe
from zonalbatch.sources.view import View

__all__ = ["configure_gdal", "doubt", "gdal_name", "lazy_array", "opened", "settings"]

GDAL_SETTINGS = {
    # Blocks are read once and in order, so GDAL's own cache need not be large (MB).
    "GDAL_CACHEMAX": "64",
    # So would a cache of 25 MB in each open file, and one of all files (bytes) need not be.
    "VSI_CACHE": "FALSE",
    "CPL_VSIL_CURL_CACHE_SIZE": "16777216",
    "GDAL_HTTP_MERGE_CONSECUTIVE_RANGES": "YES",
    "GDAL_HTTP_MULTIPLEX": "YES",
    "GDAL_HTTP_VERSION": "2TLS",
    # Waiting and trying again is our business: GDAL does not hear what a server asks for.
    "GDAL_HTTP_MAX_RETRY": "0",
    # Seconds until there is a connection, without a byte (so many a second), and in all.
    "GDAL_HTTP_CONNECTTIMEOUT": "10",
    "GDAL_HTTP_LOW_SPEED_TIME": "10",
    "GDAL_HTTP_LOW_SPEED_LIMIT": "1",
    "GDAL_HTTP_TIMEOUT": "60",
}
"""GDAL settings of the process; an environment variable of the user's wins."""

_OPENING = threading.Lock()
"""rioxarray swaps the process's warning filters while it opens: one at a time."""

_MISSED: dict[str, object] = {}
"""Remote files that could not be opened or read, each with a mark of the last time. GDAL remembers
for the life of the process that they are not there, or what came of them, and answers so without
asking again."""


@functools.cache
def configure_gdal() -> None:
    """Set the process's GDAL options, once; what the user's environment says is kept."""
    for key, value in GDAL_SETTINGS.items():
        os.environ.setdefault(key, value)
    for name in ("rasterio", *(f"rasterio.{part}" for part in ("_base", "_env", "_err", "_io"))):
        logging.getLogger(name).addFilter(_masked)
    sys.unraisablehook = functools.partial(_unraised, sys.unraisablehook)


def _unraised(otherwise: Callable[[Any], None], fault: Any) -> None:
    """Say nothing where rasterio cannot log a message of GDAL's, for it quotes a file's bytes."""
    if fault.object != "rasterio._env.log_error":
        otherwise(fault)


def _masked(record: logging.LogRecord) -> bool:
    """Have rasterio log links without their signatures."""
    record.msg, record.args = shown(record.getMessage()), ()
    return True


def opened(view: View, grant: Grant) -> Any:
    """A rasterio dataset, which may be read.

    Args:
        view: how the file is looked at.
        grant: what is opened in the place of its link.

    Raises:
        PermanentReadError: it would have GDAL open other files, or take more memory than there is.
    """
    configure_gdal()
    refuse_pipe(view.href)
    if not grant.trusted:
        refuse_name(view.href)
    drivers = None if grant.trusted else list(grant.drivers or drivers_of(grant.href))
    with settings(view.href, grant):
        handle = opened_by(grant.href, drivers, **_options(view))
        try:
            if not grant.trusted:
                refuse_links(handle, view.href)
            refuse_bombs(handle, view.href)
        except BaseException:
            handle.close()
            raise
    return handle


def lazy_array(view: View, grant: Grant) -> Any:
    """The file as a lazy DataArray (band, y, x) that reads raw pixels through one handle.

    Args:
        view: how the file is looked at.
        grant: what is opened in the place of its link; its settings hold for later reads, too.

    Raises:
        SourceError: the file holds several rasters.
    """
    import rioxarray

    configure_gdal()
    with ExitStack() as stack:
        stack.enter_context(settings(view.href, grant))
        vetted = None
        if is_remote(view.href):
            # The slow part, the network, happens here, many at a time; GDAL keeps what it
            # fetched while this handle lives, so the opening under the lock asks for nothing.
            vetted = stack.enter_context(opened(view, grant))
        stack.enter_context(_OPENING)
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")  # e.g. scales that differ: the header has them all
        vetted = vetted or stack.enter_context(opened(view, grant))
        array: Any = rioxarray.open_rasterio(
            grant.href, cache=False, lock=False, masked=False, parse_coordinates=False,
            driver=vetted.driver, **_options(view),
        )  # fmt: skip
    if isinstance(array, list) or not hasattr(array, "variable"):
        raise SourceError(f"{shown(view.href)} holds several rasters; name one of its subdatasets")
    manager = array.rio._manager
    # rioxarray opens the file again in each thread; here one thread at a time uses it, so one
    # handle is enough, whichever thread that is.
    manager._local = SimpleNamespace(thread_manager=manager._local.thread_manager)
    return array


def doubt(grant: Grant) -> None:
    """Have the server asked anew when the file is next opened, whatever GDAL knows of it."""
    _MISSED[_gdal_path(grant.href)] = object()


def _options(view: View) -> dict[str, Any]:
    return {} if view.overview is None else {"OVERVIEW_LEVEL": view.overview}


@contextmanager
def settings(href: str, grant: Grant) -> Iterator[None]:
    """GDAL's settings while a file is opened.

    Side files (.ovr, .msk, .aux.xml) are looked for beside local rasters only: a remote folder
    costs a listing, or one request for each side file it might have. What GDAL remembers of a
    remote file that could not be opened is forgotten before the next time.
    """
    if not is_remote(href):
        yield
        return
    options = {"GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR", **grant.options}
    path = _gdal_path(grant.href)
    mark = _MISSED.get(path)
    if mark is not None:
        options["CPL_VSIL_CURL_NON_CACHED"] = path
    try:
        with rasterio.Env(**options):
            yield
    except (RasterioError, OSError):
        _MISSED[path] = object()
        raise
    if mark is not None and _MISSED.get(path) is mark:  # else another thread doubts it again
        _MISSED.pop(path, None)


def gdal_name(href: str) -> str:
    """A path or a link as GDAL itself calls it."""
    bucket = re.match(r"(s3|gs|az|oss)://", href)
    if bucket is not None:
        return f"/vsi{bucket[1]}/{href[bucket.end() :]}"
    if re.match(r"(https?|ftp)://", href):
        return f"/vsicurl/{href}"
    return href.removeprefix("file://")


def _gdal_path(href: str) -> str:
    """A link as GDAL keeps what it knows of it, without a query, which it looks beyond."""
    return gdal_name(href.partition("?")[0])
