"""Projections: the ways from one CRS to another, of which those that are one operation are kept."""

from __future__ import annotations

import functools

from pyproj import CRS, Geod, Transformer

__all__ = ["ellipsoid_of", "transformer"]

WGS84 = CRS("OGC:CRS84")
_SEVERAL = "unavailable until proj_trans is called"
"""What PROJ says of a way that it chooses point by point."""


def transformer(source: CRS | str, target: CRS | str) -> Transformer:
    """From a CRS to another, x before y in both; any number of threads may use it.

    To find the operations between two CRSs takes PROJ milliseconds, as long as all else that is
    done for one small zone. Where there are several it chooses by the point, and by what it chose
    last: then a new one is made, so that no number depends on what was asked before.

    Raises:
        pyproj.exceptions.ProjError: there is no way.
    """
    found = _kept(_told(source), _told(target))
    return _made(source, target) if found.definition == _SEVERAL else found


def _told(crs: CRS | str) -> str:
    """A CRS by the text that it was made from: to compare texts is quicker."""
    return crs if isinstance(crs, str) else crs.srs


def _made(source: CRS | str, target: CRS | str) -> Transformer:
    return Transformer.from_crs(source, target, always_xy=True)


_kept = functools.lru_cache(64)(_made)


@functools.lru_cache(64)
def ellipsoid_of(crs: str) -> tuple[CRS, Geod]:
    """The geographic CRS on whose ellipsoid a CRS lies, and what measures there."""
    source = CRS.from_user_input(crs)
    earth = WGS84 if source.is_bound else source.geodetic_crs or WGS84
    return earth, earth.get_geod() or Geod(ellps="WGS84")
