"""CRSs: how zones say where they lie, and the one name that each has here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyproj import CRS
from pyproj.exceptions import CRSError

from zonalbatch.errors import ZonesError
from zonalbatch.zones.source import Source

__all__ = ["crs_name", "one_crs", "read_crs"]


def crs_name(crs: CRS) -> str:
    """``EPSG:n`` if the CRS has a code, else another authority's code, else WKT2."""
    code = crs.to_authority("EPSG", min_confidence=100) or crs.to_authority(min_confidence=100)
    return ":".join(code) if code else crs.to_wkt("WKT2_2019")


def read_crs(crs: Any) -> CRS | None:
    """A CRS from whatever form a source has it in; None stays None."""
    try:
        return None if crs is None else CRS.from_user_input(crs)
    except CRSError as error:
        raise ZonesError(f"the zones' CRS {str(crs)[:80]!r} is not understood: {error}") from error


def one_crs(sources: Sequence[Source]) -> str:
    """The name of the CRS that all sources share."""
    names: dict[str, str] = {}
    for source in sources:
        if source.crs is None:
            raise ZonesError(
                f"{source.name} has no CRS, so its zones cannot be placed; give it one: "
                "gdf.set_crs('EPSG:...') for a frame, ogr2ogr -a_srs EPSG:... for a file"
            )
        names.setdefault(crs_name(source.crs), source.name)
    if len(names) > 1:
        seen = ", ".join(f"{name} in {crs[:40]}" for crs, name in names.items())
        raise ZonesError(f"zones must share one CRS, but: {seen}; reproject some of them")
    return next(iter(names))
