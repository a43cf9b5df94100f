"""Causes: what GDAL, rasterio and the system raise on a file, as errors of ours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from rasterio.errors import NotGeoreferencedWarning, RasterioError

from zonalbatch.errors import (
    DoubtfulReadError,
    PassingReadError,
    PermanentReadError,
    ReadError,
    RefusedReadError,
    SourceError,
)
from zonalbatch.sources.protocol import is_remote
from zonalbatch.sources.secrets import shown
from zonalbatch.sources.vetting import TRUST

__all__ = ["computing", "no_grid", "read_error", "reading", "shown"]

_PASSING = re.compile(
    r"time[d]?[ -]?out|connection (was )?(reset|refused|aborted|closed)|couldn't connect|"
    r"failed to connect|could not connect|could not resolve|temporary failure|recv failure|"
    r"send failure|error sending request|empty reply|transfer closed|partial file|"
    r"too many requests|slow ?down|"
    r"(response|error|status)[ _]?(code)?[ :=]*(408|425|429|5\d\d)",
    re.IGNORECASE,
)
_UNKNOWN = re.compile("not recognized as being in a supported file format")
_MISSING = re.compile(
    r"(response|error|status)[ _]?(code)?[ :=]*(404|410)|does not exist|no such (file|key)|NoSuch",
    re.IGNORECASE,
)
_REFUSED = re.compile(
    r"(response|error|status)[ _]?(code)?[ :=]*(401|403)|access ?denied|not authorized|"
    r"InvalidAccessKeyId|SignatureDoesNotMatch|(expired|invalid) ?token|"
    r"(AWS|GS)_SECRET_ACCESS_KEY",
    re.IGNORECASE,
)


@contextmanager
def reading(href: str) -> Iterator[None]:
    """Turn what GDAL, rasterio and the system raise into a ReadError."""
    try:
        yield
    except NotGeoreferencedWarning as error:  # where warnings are errors
        raise no_grid(href) from error
    except (RasterioError, OSError, UnicodeDecodeError) as error:  # text in no encoding
        secret = any(shown(str(one)) != str(one) for one in _chain(error))
        raise read_error(href, error) from (None if secret else error)


@contextmanager
def computing(href: str) -> Iterator[None]:
    """Turn what a lazy array raises into a ReadError, also where stackstac wraps it in its own."""
    try:
        with reading(href):
            yield
    except RuntimeError as error:  # its message names what was opened, with a signature
        if not isinstance(error.__cause__, RasterioError | OSError):
            raise
        raise read_error(href, error.__cause__) from None


def no_grid(href: str, *, gcps: bool = False, rpcs: bool = False) -> SourceError:
    """The error for a file that does not say where its cells lie."""
    if gcps or rpcs:
        points = "ground control points" if gcps else "rational polynomials (RPC)"
        return SourceError(
            f"{shown(href)} is placed by {points} only; warp it to a grid first (gdalwarp)"
        )
    return SourceError(
        f"{shown(href)} has no CRS and no affine transform; "
        "write them into it (gdal_edit -a_srs EPSG:n -a_ullr left top right bottom)"
    )


def read_error(href: str, error: BaseException) -> ReadError:
    """The ReadError that stands for what GDAL, rasterio or the system raised on ``href``."""
    cause = _masked_cause(href, error)
    found = _error_by(href, error, cause)
    found.reason = _reason(cause)
    return found


def _reason(cause: str) -> Literal["missing", "refused", "format", ""]:
    if _UNKNOWN.search(cause):
        return "format"
    if _REFUSED.search(cause):
        return "refused"
    return "missing" if _MISSING.search(cause) else ""


def _error_by(href: str, error: BaseException, cause: str) -> ReadError:
    if _is_passing(error, cause):
        return PassingReadError(
            f"{shown(href)} could not be read just now ({cause}); run again to retry it"
        )
    if _REFUSED.search(cause):
        return RefusedReadError(
            f"{shown(href)} could not be read ({cause}); check that it exists, and that sign "
            "gives the right to read it"
        )
    lost = is_remote(href) and not _MISSING.search(cause)
    others = f"; a VRT or HDF5 may name other files: {TRUST}" if _UNKNOWN.search(cause) else ""
    return (DoubtfulReadError if lost else PermanentReadError)(
        f"{shown(href)} could not be read ({cause}); check that it exists and is whole{others}"
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
