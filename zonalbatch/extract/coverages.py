"""Coverages: the one piece of a data set that a WCS has."""

from __future__ import annotations

from zonalbatch.catalog.document import WcsPlace
from zonalbatch.catalog.expanded import coverage_of
from zonalbatch.catalog.named import Named
from zonalbatch.errors import ReadError, SourceError
from zonalbatch.extract.pieces import Piece, Pieces, Says, nodata_of
from zonalbatch.extract.within import within
from zonalbatch.sources import OPEN, read_headers

__all__ = ["pieces_of_coverage"]


def pieces_of_coverage(of: Named, place: WcsPlace) -> Pieces:
    """The coverage, at its native grid.

    Raises:
        InputError: a login is wanted that the environment does not have.
        ReadError: the service cannot be reached, or has no such coverage.
    """
    href = str(coverage_of(place, of.variable))
    header = within(place.seconds, place.url, lambda: read_headers([href])[href])
    if isinstance(header, ReadError):
        raise header
    if of.variable.band > len(header.dtypes):
        raise SourceError(f"{of.told} has no band {of.variable.band}; it has {len(header.dtypes)}")
    nodata = header.nodata[0] if of.variable.nodata is None else of.variable.nodata
    piece = Piece(
        href=href, band=of.variable.band, grid=header.grid, nodata=nodata, masked=header.masked
    )
    nodata = nodata_of(of, [piece], header.dtypes[0])
    told = of.variable
    says = Says(units=told.units, scale=told.scale or 1.0, offset=told.offset or 0.0)
    return Pieces(
        files=(piece,), access=OPEN, dtype=header.dtypes[0], nodata=nodata,
        items=(f"{place.url} {of.variable.asset}",), says=says,
    )  # fmt: skip
