"""WCS: pixels of a coverage at its native grid, by GetCoverage.

By OWSLib, as GDAL's driver takes the origin of WCS 1.0.0 for the middle of a cell, which servers
write as its corner: with MapServer it is half a cell aside. Here cells follow from the envelope
and their number, and each answer is held against what was asked for.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from lxml.etree import XMLSyntaxError
from numpy.typing import NDArray
from owslib.util import Authentication, ServiceException
from owslib.wcs import WebCoverageService
from pyproj import CRS
from requests.auth import AuthBase, HTTPBasicAuth
from requests.exceptions import HTTPError, RequestException

from zonalbatch.errors import PassingReadError, PermanentReadError, RefusedReadError, SourceError
from zonalbatch.lattice import Grid, grid_of
from zonalbatch.sources.causes import read_error
from zonalbatch.sources.coverage import Coverage
from zonalbatch.sources.crs import crs_text
from zonalbatch.sources.protocol import Header

__all__ = ["WcsPixels"]

SECONDS = 60
"""Time limit of a request."""
CELLS = 2048
"""Side of what one request asks for; services have limits of some ten million cells."""
ALIGNED = 1e-3
"""Parts of a cell by which an answer may lie aside of what was asked for."""


@dataclass(frozen=True, slots=True)
class Axis:
    """Columns or rows of a coverage."""

    label: str
    """What a subset calls it."""
    cells: int
    step: float
    """Of a cell, units of the CRS."""


@dataclass(frozen=True, slots=True)
class Described:
    """What a service says of a coverage."""

    crs: str
    columns: Axis
    rows: Axis
    bounds: tuple[float, float, float, float]
    """Left, bottom, right and top of all cells."""
    format: str

    @property
    def grid(self) -> Grid:
        """Where its cells lie."""
        left, _, _, top = self.bounds
        transform = (self.columns.step, 0.0, left, 0.0, -self.rows.step, top)
        return grid_of(self.crs, transform, (self.rows.cells, self.columns.cells), "the coverage")


class WcsPixels:
    """One coverage; made without asking, pickled by its href. Any number of threads may read."""

    def __init__(self, href: str) -> None:
        coverage = Coverage.of(href)
        if coverage is None:
            raise SourceError(f"{href} is no coverage of a WCS")
        self.href = href
        self._coverage = coverage
        self._asked: tuple[Any, Described] | None = None
        self._header: Header | None = None
        self._guard = threading.Lock()

    def __reduce__(self) -> tuple[type[WcsPixels], tuple[str]]:
        """Pickle the name only."""
        return WcsPixels, (self.href,)

    @property
    def header(self) -> Header:
        """What the service says of it, and the type of a few of its pixels.

        Raises:
            SourceError: it has no CRS, or a rotated grid.
            ReadError: the service cannot be reached, or has no such coverage.
        """
        with self._guard:
            if self._header is None:
                self._header = self._read_header()
            return self._header

    def read(self, bands: Sequence[int], window: tuple[int, int, int, int]) -> NDArray[Any]:
        """Raw pixels, shape (band, row, col), of a half-open (top, left, bottom, right) window.

        Raises:
            ReadError: the service does not give them as they are.
        """
        top, left, bottom, right = window
        header = self.header
        found = np.empty((len(bands), bottom - top, right - left), header.dtypes[0])
        for row in range(top, bottom, CELLS):
            for col in range(left, right, CELLS):
                part = row, col, min(row + CELLS, bottom), min(col + CELLS, right)
                at = slice(row - top, part[2] - top), slice(col - left, part[3] - left)
                found[:, *at] = self._part(part)[[band - 1 for band in bands]]
        return found

    def _part(self, window: tuple[int, int, int, int]) -> NDArray[Any]:
        """(band, row, col) of a window. Some services take one cell's breadth for none at all."""
        height, width = self.header.grid.shape
        top, left, bottom, right = window
        above, aside = _widened(top, bottom, height), _widened(left, right, width)
        values, _ = self._fetch((above[0], aside[0], above[1], aside[1]))
        rows = slice(top - above[0], bottom - above[0])
        return values[:, rows, left - aside[0] : right - aside[0]]

    def read_mask(self, window: tuple[int, int, int, int]) -> NDArray[np.bool_]:
        """All valid: a coverage has no mask beside nodata."""
        top, left, bottom, right = window
        return np.ones((bottom - top, right - left), dtype=bool)

    def close(self) -> None:
        """Nothing is held."""

    def _read_header(self) -> Header:
        _, told = self._describe()
        values, nodata = self._fetch((0, 0, min(2, told.rows.cells), min(2, told.columns.cells)))
        count = len(values)
        return Header(
            grid=told.grid, dtypes=(values.dtype.name,) * count, nodata=(nodata,) * count,
            scales=(1.0,) * count, offsets=(0.0,) * count, descriptions=(None,) * count,
            block=(512, 512), masked=False, version="",
        )  # fmt: skip

    def _describe(self) -> tuple[Any, Described]:
        if self._asked is None:
            self._asked = _described(self._coverage)
        return self._asked

    def _fetch(self, window: tuple[int, int, int, int]) -> tuple[NDArray[Any], float | int | None]:
        """(band, row, col) of a window, and nodata as the answer says it."""
        service, told = self._describe()
        top, left, bottom, right = window
        west, _, _, north = told.bounds
        dx, dy = told.columns.step, told.rows.step
        box = (west + left * dx, north - bottom * dy, west + right * dx, north - top * dy)
        content = _asked(service, self._coverage, told, box, (bottom - top, right - left))
        return _decoded(self._coverage, content, box, (bottom - top, right - left))


def _widened(first: int, last: int, size: int) -> tuple[int, int]:
    """A span of two cells at least, if there are two."""
    if last - first > 1:
        return first, last
    return (first, last + 1) if last < size else (max(0, first - 1), last)


def _described(coverage: Coverage) -> tuple[Any, Described]:
    """A service, and what it says of a coverage.

    Raises:
        ReadError: it cannot be reached, or has no such coverage.
    """
    login = Login(coverage.credentials)
    auth = Authentication(auth_delegate=login)
    with _asking(coverage, login):
        service = WebCoverageService(coverage.url, coverage.version, timeout=SECONDS, auth=auth)
        if coverage.id not in service.contents:
            names = ", ".join(list(service.contents)[:10])
            raise PermanentReadError(
                f"{coverage.url} has no coverage {coverage.id!r}; it has {names}"
            )
        return service, _told(service.contents[coverage.id])


def _told(content: Any) -> Described:
    """What DescribeCoverage says, x before y."""
    box = content.boundingboxes[-1]
    crs = CRS.from_user_input(_crs_name(box["nativeSrs"]))
    turned = _is_turned(box["nativeSrs"], crs)
    a, b, c, d = (float(side) for side in box["bbox"])
    left, bottom, right, top = (b, a, d, c) if turned else (a, b, c, d)
    grid = content.grid
    steps = [[float(one) for one in vector] for vector in grid.offsetvectors]
    steps = [vector[::-1] for vector in steps] if turned else steps
    first = 0 if abs(steps[0][0]) > abs(steps[0][1]) else 1
    limits = zip(grid.lowlimits, grid.highlimits, strict=True)
    counts = [int(high) - int(low) + 1 for low, high in limits]
    axes = [_axis(grid.axislabels, i, counts[i], steps[i], crs) for i in (first, 1 - first)]
    columns, rows = axes
    # Some services say where the middles of the outermost cells lie.
    if abs((right - left) / columns.step - columns.cells) > 0.5:
        left, right = left - columns.step / 2, right + columns.step / 2
        bottom, top = bottom - rows.step / 2, top + rows.step / 2
    columns = Axis(columns.label, columns.cells, (right - left) / columns.cells)
    rows = Axis(rows.label, rows.cells, (top - bottom) / rows.cells)
    return Described(crs_text(crs), columns, rows, (left, bottom, right, top), _format(content))


def _crs_name(name: str) -> str:
    """``EPSG:4326`` of an URN or a URL that ends with it."""
    parts = name.replace("/", ":").split(":")
    return f"EPSG:{parts[-1]}" if "EPSG" in name.upper() and parts[-1].isdecimal() else name


def _is_turned(name: str, crs: CRS) -> bool:
    """True if coordinates go as the authority has them, and that is y before x.

    URNs and URLs mean that order; plain ``EPSG:4326``, as WCS 1.0.0 has it, means x before y.
    """
    official = name.startswith(("urn:", "http"))
    return official and crs.axis_info[0].direction in ("north", "south")


def _axis(labels: Sequence[str], i: int, cells: int, step: Sequence[float], crs: CRS) -> Axis:
    along = 0 if abs(step[0]) > abs(step[1]) else 1
    if abs(step[1 - along]) > 1e-9 * abs(step[along]):
        raise SourceError("the coverage's grid is rotated; choose another one")
    # Grids without names of places (i, j) are cut by those of the CRS.
    own = {axis.direction: axis.abbrev for axis in crs.axis_info}
    names = ("Long", "Lat") if crs.is_geographic else (own.get("east", "E"), own.get("north", "N"))
    label = str(labels[i]) if len(str(labels[i])) > 1 or labels[i] in "xyXYEN" else names[along]
    return Axis(label, cells, abs(step[along]))


def _format(content: Any) -> str:
    """The name by which the service gives GeoTIFFs."""
    names = [str(name) for name in content.supportedFormats or ()]
    likely = [name for name in names if "tif" in name.lower()]
    return likely[0] if likely else "image/tiff"


def _asked(
    service: Any,
    coverage: Coverage,
    told: Described,
    box: tuple[float, float, float, float],
    shape: tuple[int, int],
) -> bytes:
    """A GeoTIFF of a box at the native grid."""
    left, bottom, right, top = box
    asked: dict[str, Any] = {"identifier": coverage.id, "format": told.format, "timeout": SECONDS}
    if coverage.version == "1.0.0":
        asked |= {"bbox": box, "crs": told.crs, "height": shape[0], "width": shape[1]}
    else:
        columns, rows = (told.columns.label, left, right), (told.rows.label, bottom, top)
        asked |= {"subsets": [columns, rows]}
    with _asking(coverage, service.auth.auth_delegate):
        return bytes(service.getCoverage(**asked).read())


def _decoded(
    coverage: Coverage,
    content: bytes,
    box: tuple[float, float, float, float],
    shape: tuple[int, int],
) -> tuple[NDArray[Any], float | int | None]:
    """Pixels of an answer, if they are those that were asked for."""
    from rasterio.errors import RasterioError
    from rasterio.io import MemoryFile

    try:
        with MemoryFile(content) as memory, memory.open(driver="GTiff") as file:
            values, nodata, bounds = file.read(), file.nodata, file.bounds
    except RasterioError:
        said = content[:300].decode("utf-8", "replace")
        raise PermanentReadError(f"{coverage.url} sent no GeoTIFF but: {said}") from None
    size = (box[2] - box[0]) / shape[1], (box[3] - box[1]) / shape[0]
    off = max(abs(a - b) / size[i % 2] for i, (a, b) in enumerate(zip(bounds, box, strict=True)))
    if values.shape[1:] != shape or off > ALIGNED:
        raise PermanentReadError(
            f"{coverage.url} sent {values.shape[1:]} pixels in {tuple(bounds)} for {shape} in "
            f"{box}: it resamples, and what it gives is not what it has"
        )
    whole = nodata is not None and values.dtype.kind in "iu"
    return values, int(nodata) if whole else nodata


class Login(AuthBase):
    """Who asks, as requests takes it; it hears with which status the service answered."""

    def __init__(self, credentials: tuple[str, str] | None) -> None:
        self._credentials = credentials
        self.status = 0

    def __call__(self, request: Any) -> Any:
        """Sign a request, and listen for its answer."""
        request.register_hook("response", self._heard)
        return HTTPBasicAuth(*self._credentials)(request) if self._credentials else request

    def _heard(self, response: Any, **_: Any) -> None:
        self.status = response.status_code


@contextmanager
def _asking(coverage: Coverage, login: Login) -> Iterator[None]:
    """Turn what OWSLib and requests raise into a ReadError."""
    try:
        yield
    except ServiceException as error:
        if login.status in (401, 403):
            raise RefusedReadError(
                f"{coverage.url} does not let us in ({login.status}); check user and password"
            ) from None
        said = " ".join(re.sub(r"<[^>]*>", " ", str(error)).split())
        raise PermanentReadError(f"{coverage.url} refuses: {said[:300]}") from None
    except HTTPError as error:
        if login.status in (408, 429) or login.status >= 500:
            raise PassingReadError(f"{coverage.url} answers {login.status}; try later") from None
        raise read_error(coverage.url, error) from None
    except (XMLSyntaxError, AttributeError, ValueError, KeyError, IndexError) as error:
        # What OWSLib makes of answers that are none of a WCS.
        raise PermanentReadError(
            f"{coverage.url} sent what is no answer of a WCS ({error}); check the address"
        ) from None
    except (RequestException, OSError) as error:
        raise read_error(coverage.url, error) from None
