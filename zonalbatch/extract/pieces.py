"""Pieces: the files of a data set about a box, each with its grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zonalbatch.catalog.document import StacPlace
from zonalbatch.catalog.named import Named
from zonalbatch.errors import ReadError, SourceError
from zonalbatch.extract.asked import Asked, Box
from zonalbatch.extract.within import within
from zonalbatch.lattice import Grid
from zonalbatch.layers import Asset, Layer
from zonalbatch.searches.addresses import signed_by
from zonalbatch.searches.answer import area_of, find
from zonalbatch.searches.area import Area
from zonalbatch.searches.question import Question
from zonalbatch.sources import Access, Band, grouped, open_pixels, read_headers, stac_layers
from zonalbatch.sources.access import access_given
from zonalbatch.sources.protocol import Header, Pixels
from zonalbatch.sources.raster_header import asked_of
from zonalbatch.sources.view import View

__all__ = ["Piece", "Pieces", "Says", "pieces_by_day", "pieces_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One band of a file."""

    href: str
    band: int
    grid: Grid
    nodata: float | int | None
    masked: bool
    """True if the file has a mask of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Says:
    """What holds for a band beside its cells, by the data set, the items and the files."""

    units: str | None = None
    colours: Mapping[int, tuple[int, ...]] | None = None
    scale: float = 1.0
    offset: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pieces:
    """The files of a data set about a box, in the order in which they answer."""

    files: tuple[Piece, ...]
    access: Access
    dtype: str
    nodata: float | int | None
    """With which gaps are filled."""
    items: tuple[str, ...]
    """Where they come from."""
    says: Says
    """What else is known of them."""

    @property
    def fill(self) -> Any:
        """Of cells without data, in the type of the others; 0 where there is no nodata."""
        return np.dtype(self.dtype).type(0 if self.nodata is None else self.nodata)

    def check(self, there: NDArray[np.bool_]) -> None:
        """Refuse cells without data that nothing would tell from others.

        Raises:
            SourceError: there are some, and no nodata.
        """
        if self.nodata is None and not there.all():
            raise SourceError(
                "there are cells without data, and no nodata to tell them by; give the data set's "
                "variable one"
            )

    def pixels(self, href: str) -> Pixels:
        """A file, to be opened when it is read."""
        return open_pixels(href, access=self.access)


def pieces_of(asked: Asked) -> Pieces:
    """Find the files about a box; reads their headers.

    Raises:
        SourceError: there are none, or they are of more than one day.
        ReadError: the provider cannot be reached, or a file cannot be read.
    """
    where = f"about {_shown(asked.box)}"
    days = pieces_by_day(asked.of, area_of(None, asked.box, None), asked.datetime, where)
    if len(days) > 1:
        raise SourceError(
            f"{asked.of.told} has {len(days)} days in that time, {min(days)} the first; give "
            "datetime of one"
        )
    (found,) = days.values()
    return found


def pieces_by_day(of: Named, area: Area, datetime: str | None, where: str) -> dict[str, Pieces]:
    """Find the files of an area, by the day on which they were measured; reads their headers.

    Args:
        of: the data set.
        area: where.
        datetime: as of a search.
        where: the area in words.

    Returns:
        By day as ``2024-06-01``, in order; of what does not change all by ``all``.

    Raises:
        SourceError: there are none.
        ReadError: the provider cannot be reached, or a file cannot be read.
    """
    place = of.data.place
    if isinstance(place, StacPlace):
        return _of_stac(of, place, area, datetime, where)
    from zonalbatch.extract.coverages import pieces_of_coverage

    return {"all": pieces_of_coverage(of, place)}


def _of_stac(
    of: Named, place: StacPlace, area: Area, datetime: str | None, where: str
) -> dict[str, Pieces]:
    question = Question.of(
        collections=place.collections, query=place.query, datetime=datetime or place.datetime
    )
    answer = within(place.seconds, place.api, lambda: find(place.api, question, area))
    if not answer.items:
        raise SourceError(f"{of.told} has nothing {where}; choose another place or time")
    access = access_given(place.sign or signed_by(place.api), place.trusted)
    variable = of.variable
    index = None if variable.band == 1 else variable.band
    band = Band(asset=variable.asset or of.name, index=index, nodata=variable.nodata)
    found = stac_layers(answer.items, bands={of.name: band}, access=access)
    for failure in found.failures:
        raise failure.error
    layers = grouped(found, "solar_day" if of.data.changes else "all").layers
    headers = _headers([asset.href for layer in layers for asset in layer.assets], access)
    return {layer.id: _of_layer(of, layer, headers, access) for layer in layers}


def _of_layer(of: Named, layer: Layer, headers: Mapping[str, Header], access: Access) -> Pieces:
    files = tuple(_piece(asset, headers[asset.href]) for asset in layer.assets)
    dtypes = {headers[one.href].dtypes[one.band - 1] for one in files}
    if len(dtypes) > 1:
        raise SourceError(
            f"files of {of.told} hold {' and '.join(sorted(dtypes))}; extract smaller boxes"
        )
    (dtype,) = dtypes
    first, told = files[0], of.variable
    units, colours = asked_of(View.of(first.href), access, partial(_units_and_colours, first.band))
    scale, offset = _scaling(of, layer, headers)
    says = Says(units=told.units or units, colours=colours, scale=scale, offset=offset)
    return Pieces(
        files=files, access=access, dtype=dtype, nodata=nodata_of(of, files, dtype),
        items=layer.items, says=says,
    )  # fmt: skip


def _units_and_colours(band: int, handle: Any) -> tuple[str | None, Any]:
    """Of a band of an open rasterio dataset."""
    try:
        return handle.units[band - 1], handle.colormap(band)
    except ValueError:  # it has no colours
        return handle.units[band - 1], None


def _scaling(of: Named, layer: Layer, headers: Mapping[str, Header]) -> tuple[float, float]:
    """What raw values mean, by data set, item, rule or file; the same in all files.

    Raises:
        SourceError: it is not.
    """
    if of.variable.scale is not None and of.variable.offset is not None:
        return of.variable.scale, of.variable.offset
    found = set[tuple[float, float]]()
    for asset in layer.assets:
        header, at = headers[asset.href], asset.band - 1
        scale = header.scales[at] if asset.scale is None else asset.scale
        found.add((scale, header.offsets[at] if asset.offset is None else asset.offset))
    if len(found) > 1:
        told = " and ".join(f"{scale:g} × raw + {offset:g}" for scale, offset in sorted(found))
        raise SourceError(f"raw values of {of.told} mean {told} there; extract smaller boxes")
    return found.pop()


def nodata_of(of: Named, files: Sequence[Piece], dtype: str) -> float | int | None:
    """By what cells without data are told: what the data set says, else what all its files say.

    Raises:
        SourceError: the files say several things, or the type has no such value.
    """
    said = of.variable.nodata
    if said is None:
        values = {repr(one.nodata): one.nodata for one in files if one.nodata is not None}
        if len(values) > 1:
            raise SourceError(
                f"files of {of.told} have the nodata {' and '.join(sorted(values))}; give the "
                "variable one"
            )
        said = next(iter(values.values()), None)
    kind = np.dtype(dtype)
    if said is None and kind.kind == "f":
        return float("nan")
    if said is not None and kind.kind in "iu":
        span = np.iinfo(kind)
        if said != said or int(said) != said or not span.min <= said <= span.max:
            raise SourceError(f"nodata {said} of {of.told} is no {dtype}; correct it")
        return int(said)
    return said


def _shown(box: Box) -> str:
    """A box as it can stand in a sentence."""
    return f"({', '.join(f'{side:g}' for side in box)})"


def _headers(hrefs: Sequence[str], access: Access) -> dict[str, Header]:
    headers = dict[str, Header]()
    for href, header in read_headers(hrefs, access).items():
        if isinstance(header, ReadError):
            raise header
        headers[href] = header
    return headers


def _piece(asset: Asset, header: Header) -> Piece:
    nodata = header.nodata[asset.band - 1] if asset.nodata is None else asset.nodata
    return Piece(
        href=asset.href, band=asset.band, grid=header.grid, masked=header.masked,
        nodata=None if nodata == "none" else nodata,
    )  # fmt: skip
