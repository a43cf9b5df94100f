"""Projections: the ways from one CRS to another, of which those that are one operation are kept."""

from __future__ import annotations

import functools

from pyproj import CRS, Transformer

__all__ = ["transformer"]

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
    found = _kept(source, target)
    return _made(source, target) if found.definition == _SEVERAL else found


def _made(source: CRS | str, target: CRS | str) -> Transformer:
    return Transformer.from_crs(source, target, always_xy=True)


_kept = functools.lru_cache(64)(_made)
