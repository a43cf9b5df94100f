"""One raster file: its header, and windows of its pixels, through rioxarray."""

from __future__ import annotations

import functools
import math
import os
import re
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from types import SimpleNamespace
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import MaskFlags
from rasterio.errors import NotGeoreferencedWarning, RasterioError

from zonalbatch.errors import PassingReadError, PermanentReadError, ReadError, SourceError
from zonalbatch.lattice import grid_of
from zonalbatch.sources.fingerprint import fingerprint
from zonalbatch.sources.protocol import Header, is_remote

__all__ = [
    "RasterPixels",
    "configure_gdal",
    "crs_text",
    "held_nodata",
    "read_error",
    "read_header",
    "shown",
]

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

_PASSING = re.compile(
    r"time[d]?[ -]?out|connection (was )?(reset|refused|aborted|closed)|couldn't connect|"
    r"failed to connect|could not connect|could not resolve|temporary failure|recv failure|"
    r"send failure|empty reply|transfer closed|partial file|too many requests|slow ?down|"
    r"(response|error|status)[ _]?(code)?[ :]*(408|425|429|5\d\d)",
    re.IGNORECASE,
)
_URL_QUERY = re.compile(r"([a-z][a-z0-9+.]*://[^\s'\"?]*)\?[^\s'\"]*", re.IGNORECASE)
_URL_USER = re.compile(r"([a-z][a-z0-9+.]*://)[^/@\s'\"]+@", re.IGNORECASE)

_OPENING = threading.Lock()
"""rioxarray swaps the process's warning filters while it opens: one at a time."""


@functools.cache
def configure_gdal() -> None:
    """Set the process's GDAL options, once; what the user's environment says is kept."""
    for key, value in GDAL_SETTINGS.items():
        os.environ.setdefault(key, value)


def shown(text: str) -> str:
    """An href or a message with every URL's query and user masked."""
    return _URL_USER.sub(r"\1***@", _URL_QUERY.sub(r"\1?***", text))


def read_error(href: str, error: BaseException) -> ReadError:
    """The ReadError that stands for what GDAL, rasterio or the system raised on ``href``."""
    cause = _masked_cause(href, error)
    if _is_passing(error, cause):
        return PassingReadError(
            f"{shown(href)} could not be read just now ({cause}); run again to retry it"
        )
    return PermanentReadError(
        f"{shown(href)} could not be read ({cause}); check that it exists and is whole"
    )


def _masked_cause(href: str, error: BaseException) -> str:
    """What the chain of errors says, once each, in one line and without credentials."""
    said = dict.fromkeys(" ".join(str(e).split()).rstrip(".") for e in _chain(error))
    text = shown("; ".join(s for s in said if s and not s.startswith("Read failed. See")))
    _, _, query = href.partition("?")
    return (text.replace(query, "***") if query else text) or type(error).__name__


def _chain(error: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = error
    while current is not None:
        yield current
        current = current.__cause__ or current.__context__


def _is_passing(error: BaseException, cause: str) -> bool:
    if any(isinstance(e, TimeoutError | ConnectionError) for e in _chain(error)):
        return True
    return _PASSING.search(cause) is not None


def crs_text(crs: Any) -> str:
    """A CRS in the form that compares: ``EPSG:n`` where it has a code, else WKT2.

    Takes a rasterio or pyproj CRS, a code, WKT or PROJJSON text, or a PROJJSON mapping.

    Raises:
        SourceError: PROJ does not know what it means.
    """
    if isinstance(crs, dict):
        return _canonical(_json_text(crs))
    return _canonical(crs if isinstance(crs, str) else crs.to_wkt())


def _json_text(crs: dict[str, Any]) -> str:
    import json

    return json.dumps(crs, sort_keys=True)


@functools.lru_cache(maxsize=1024)
def _canonical(text: str) -> str:
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        crs = CRS.from_user_input(text)
    except CRSError as error:
        raise SourceError(
            f"CRS {text[:80]!r} is not known to PROJ ({error}); give an EPSG code or WKT2"
        ) from error
    authority = crs.to_authority()
    if authority is not None and authority[0] == "EPSG":
        return f"EPSG:{authority[1]}"
    return str(crs.to_wkt())


def held_nodata(value: float | int | None, dtype: str) -> float | int | None:
    """A nodata value as the dtype holds it; None where it cannot (−9999 in uint8, NaN in int16)."""
    if value is None:
        return None
    kind = np.dtype(dtype)
    if kind.kind in "iu":
        return _held_integer(value, np.iinfo(kind))
    with np.errstate(over="ignore"):
        held = float(kind.type(value))
    return None if math.isinf(held) and not math.isinf(value) else held


def _held_integer(value: float | int, info: np.iinfo[Any]) -> int | None:
    if not math.isfinite(value) or value != int(value) or not info.min <= value <= info.max:
        return None
    return int(value)


def read_header(href: str) -> Header:
    """What a file says of itself, without rioxarray: opened, asked and closed.

    Raises:
        SourceError: the file has no CRS, a rotated grid, or pixels of an unusable kind.
        ReadError: it cannot be opened.
    """
    with _reading(href), _opened(href) as handle:
        return _header_of(handle, href)


@contextmanager
def _reading(href: str) -> Iterator[None]:
    """Turn what GDAL, rasterio and the system raise into a ReadError."""
    try:
        yield
    except NotGeoreferencedWarning as error:  # where warnings are errors
        raise _no_grid(href) from error
    except (RasterioError, OSError) as error:
        raise read_error(href, error) from error


def _opened(href: str) -> Any:
    configure_gdal()
    with _siblings(href):
        return rasterio.open(href, sharing=False)


def _siblings(href: str) -> AbstractContextManager[Any]:
    """Look for side files (.ovr, .msk, .aux.xml) beside local rasters only.

    A remote folder costs a listing, or one request for each side file it might have.
    """
    if is_remote(href):
        return rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR")
    return nullcontext()


def _header_of(handle: Any, href: str) -> Header:
    _check_kind(handle, href)
    dtypes = tuple(str(name) for name in handle.dtypes)
    crs = _crs_of(handle, href)
    return Header(
        grid=grid_of(crs, tuple(handle.transform)[:6], handle.shape, name=shown(href)),
        dtypes=dtypes,
        nodata=tuple(map(held_nodata, handle.nodatavals, dtypes)),
        scales=tuple(map(float, handle.scales)),
        offsets=tuple(map(float, handle.offsets)),
        descriptions=tuple(text or None for text in handle.descriptions),
        block=tuple(handle.block_shapes[0]),
        masked=_has_own_mask(handle),
        version=_version(href),
    )


def _check_kind(handle: Any, href: str) -> None:
    if handle.subdatasets:
        raise SourceError(
            f"{shown(href)} holds {len(handle.subdatasets)} rasters; "
            f"name one of them, such as {shown(handle.subdatasets[0])!r}"
        )
    if any(name.startswith("complex") for name in handle.dtypes):
        raise SourceError(
            f"{shown(href)} has complex pixels ({handle.dtypes[0]}); choose one real part of them "
            "first, as amplitude, phase or intensity (gdal_translate of a derived VRT band)"
        )
    if len(set(handle.dtypes)) > 1:
        raise SourceError(
            f"{shown(href)} has bands of different types {tuple(handle.dtypes)}; "
            "give one file for each type (gdal_translate -b)"
        )


def _crs_of(handle: Any, href: str) -> str:
    if handle.transform.is_identity:
        raise _no_grid(href, gcps=bool(handle.gcps[0]), rpcs=handle.rpcs is not None)
    if not handle.crs:
        raise SourceError(
            f"{shown(href)} has no CRS; write the one it was made in (gdal_edit -a_srs EPSG:n)"
        )
    return crs_text(handle.crs)


def _no_grid(href: str, *, gcps: bool = False, rpcs: bool = False) -> SourceError:
    if gcps or rpcs:
        points = "ground control points" if gcps else "rational polynomials (RPC)"
        return SourceError(
            f"{shown(href)} is placed by {points} only; warp it to a grid first (gdalwarp)"
        )
    return SourceError(
        f"{shown(href)} has no CRS and no affine transform; "
        "write them into it (gdal_edit -a_srs EPSG:n -a_ullr left top right bottom)"
    )


def _has_own_mask(handle: Any) -> bool:
    plain = {MaskFlags.all_valid, MaskFlags.nodata}
    return any(plain.isdisjoint(flags) for flags in handle.mask_flag_enums)


def _version(href: str) -> str:
    """The fingerprint of a local file; empty for others (GDAL does not show an ETag)."""
    return "" if is_remote(href) or not os.path.isfile(href) else fingerprint(href)


class RasterPixels:
    """An open raster file; made without opening it, pickled as its href alone."""

    def __init__(self, href: str) -> None:
        self.href = href
        self._array: Any = None
        self._header: Header | None = None

    def __reduce__(self) -> tuple[type[RasterPixels], tuple[str]]:
        """Pickle the name only: handles stay in their process."""
        return RasterPixels, (self.href,)

    def __repr__(self) -> str:
        """Name the file, without a signature."""
        return f"RasterPixels({shown(self.href)!r})"

    @property
    def header(self) -> Header:
        """What the file says of itself (opens it).

        Raises:
            SourceError: the file has no CRS, a rotated grid, or pixels of an unusable kind.
            ReadError: it cannot be opened.
        """
        if self._header is None:
            with _reading(self.href):
                self._header = _header_of(self._handle(), self.href)
        return self._header

    def read(self, bands: Sequence[int], window: tuple[int, int, int, int]) -> NDArray[Any]:
        """Raw pixels, shape (band, row, col), of a half-open (top, left, bottom, right) window.

        All bands are read in one call: a pixel-interleaved block holds them all.

        Raises:
            ReadError: the pixels cannot be read.
        """
        top, left, bottom, right = window
        with _reading(self.href):
            lazy = self._opened_array().variable
            _check_window(window, lazy.shape[-2:], self.href)
            return np.asarray(lazy[_band_index(bands), top:bottom, left:right].values)

    def read_mask(self, window: tuple[int, int, int, int]) -> NDArray[np.bool_]:
        """The file's own mask or alpha, shape (row, col); True means valid."""
        top, left, bottom, right = window
        with _reading(self.href):
            handle = self._handle()
            _check_window(window, handle.shape, self.href)
            if not _has_own_mask(handle):
                return np.ones((bottom - top, right - left), dtype=bool)
            mask = handle.dataset_mask(window=((top, bottom), (left, right)))
            return np.asarray(mask != 0)

    def close(self) -> None:
        """Let go of the file; the next read opens it again."""
        if self._array is not None:
            self._array.close()
            self._array = None

    def _handle(self) -> Any:
        """The rasterio handle behind the lazy array: the file is opened once for all uses."""
        return self._opened_array().rio._manager.acquire()

    def _opened_array(self) -> Any:
        if self._array is None:
            self._array = _lazy_array(self.href)
        return self._array


def _band_index(bands: Sequence[int]) -> slice | list[int]:
    """0-based index of 1-based bands; a slice where they follow each other (half the overhead)."""
    first = bands[0] - 1
    if list(bands) == list(range(bands[0], bands[0] + len(bands))):
        return slice(first, first + len(bands))
    return [band - 1 for band in bands]


def _check_window(window: tuple[int, int, int, int], shape: tuple[int, int], href: str) -> None:
    top, left, bottom, right = window
    if not (0 <= top <= bottom <= shape[0] and 0 <= left <= right <= shape[1]):
        raise PermanentReadError(
            f"{shown(href)} has {shape[0]} × {shape[1]} cells but the window {tuple(window)} was "
            "asked of it: its grid is not the one it was planned with; plan again"
        )


def _lazy_array(href: str) -> Any:
    """The file as a lazy DataArray (band, y, x) that reads raw pixels through one handle."""
    import rioxarray

    configure_gdal()
    with ExitStack() as stack:
        stack.enter_context(_siblings(href))
        if is_remote(href):
            # The slow part, the network, happens here, many at a time; GDAL keeps what it
            # fetched while this handle lives, so the opening under the lock asks for nothing.
            stack.enter_context(rasterio.open(href, sharing=False))
        stack.enter_context(_OPENING)
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")  # e.g. scales that differ: the header has them all
        array: Any = rioxarray.open_rasterio(
            href, cache=False, lock=False, masked=False, parse_coordinates=False
        )
    if isinstance(array, list) or not hasattr(array, "variable"):
        raise SourceError(f"{shown(href)} holds several rasters; name one of its subdatasets")
    manager = array.rio._manager
    # rioxarray opens the file again in each thread; here one thread at a time uses it, so one
    # handle is enough, whichever thread that is.
    manager._local = SimpleNamespace(thread_manager=manager._local.thread_manager)
    return array
