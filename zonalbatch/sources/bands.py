"""Bands that a job names and no layer has: what is known instead."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from zonalbatch.errors import SourceError
from zonalbatch.sources.protocol import Band

__all__ = ["unknown_band", "wish"]


def wish(band: Band) -> str:
    """What a job says to find a band by, as it stands in messages."""
    return repr(band.description or band.asset if band.index is None else band.index)


def unknown_band(
    name: str, band: Band, known: Sequence[str], fields: Sequence[str] = ()
) -> SourceError:
    """The error for a band that is in no layer: what is known, and what is nearest.

    Args:
        name: what the job calls it.
        band: where it was looked for.
        known: what there is.
        fields: those of the pattern that files were found by, if it was one.
    """
    if fields and band.asset is not None and "band" not in fields:
        there = ", ".join(f"{{{field}}}" for field in fields)
        return SourceError(
            f"band {name!r} ({wish(band)}) is in no layer: the pattern has no {{band}}, only "
            f"{there}; write {{band}} where {wish(band)} stands in the names of files"
        )
    told = wish(band)
    near = difflib.get_close_matches(told.strip("'"), known, n=1, cutoff=0.4)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    some = ", ".join(known[:20]) + (" …" if len(known) > 20 else "")
    return SourceError(f"band {name!r} ({told}) is in no layer; known are {some or 'none'}{hint}")
