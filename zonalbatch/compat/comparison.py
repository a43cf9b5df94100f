"""Comparison: the same zones and raster by this engine and by a peer, side by side."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS

from zonalbatch.compat.peers import PEERS, Peer
from zonalbatch.errors import InputError, ReadError
from zonalbatch.frames import zonal_stats
from zonalbatch.sources import Header, open_pixels
from zonalbatch.statistics import parse_statistics

__all__ = ["Comparison", "Difference", "compare"]

ROUNDING = 1e-5
"""Relative differences up to this may come of numbers of 32 bits."""

LAST_BITS = 1e-12
"""Relative differences up to this come of the order of sums."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Difference:
    """How one statistic differs."""

    statistic: str
    largest: float
    """Largest relative difference: to the larger of both; 1 where only one has a number."""
    differing: int
    """How many zones differ by more than rounding."""
    zone: Any
    """Id of the zone with the largest difference; None if there is none."""
    ours: float
    """Of that zone; NaN for none."""
    theirs: float
    cause: str
    """The likely cause; empty where nothing differs."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The same work by two."""

    peer: str
    zones: int
    differences: tuple[Difference, ...]
    seconds: tuple[float, float]
    """Ours and the peer's, reading included."""


def compare(
    zones: str | os.PathLike[str],
    raster: str | os.PathLike[str],
    stats: Sequence[str] | str = ("count", "mean", "min", "max", "std"),
    *,
    peer: str,
    band: int = 1,
    id: str | None = None,
) -> Comparison:
    """Ask this engine and a peer for the same, and say where they differ and why.

    Args:
        zones: a file of zones.
        raster: a file of pixels.
        stats: names of statistics.
        peer: ``rasterstats`` or ``exactextract``.
        band: number of the band, from 1.
        id: column of unique ids.

    Raises:
        InputError: the peer is unknown, not installed, or has no such statistic, or failed; zones
            or raster cannot be used.
        ReadError: the raster cannot be read.
    """
    import geopandas

    if peer not in PEERS:
        raise InputError(f"peer {peer!r} is unknown; use {' or '.join(PEERS)}")
    other = PEERS[peer]
    other.ready()
    asked = parse_statistics(stats)
    names = [other.named(one.name) for one in asked]
    wanted = list(dict.fromkeys([*(s.name for s in asked), *ACCOUNT]))
    ours, mine = _timed(
        lambda: zonal_stats(zones, raster, wanted, bands=band, id=id, coverage=other.rule), warm=1
    )
    frame = geopandas.GeoDataFrame(geometry=ours.geometry.reset_index(drop=True), crs=ours.crs)
    theirs, its = _timed(lambda: _asked(other, frame, os.fspath(raster), band, names))
    header = open_pixels(os.fspath(raster)).header
    sides = [
        _Sides(one.name, ours[one.column].to_numpy(float), _numbers(column))
        for one, column in zip(asked, theirs, strict=True)
    ]
    found = tuple(_difference(side, ours, other, header, band) for side in sides)
    return Comparison(peer, len(ours), found, (mine, its))


ACCOUNT = ("n_total", "n_nodata", "n_nan", "n_masked", "n_outside")


def _asked(
    peer: Peer, frame: Any, raster: str, band: int, names: Sequence[str]
) -> Sequence[Sequence[Any]]:
    try:
        return peer.ask(frame, raster, band, names)
    except (InputError, ReadError):
        raise
    except Exception as error:
        raise InputError(f"{peer.name} failed: {type(error).__name__}: {error}") from error


def _timed(work: Callable[[], Any], warm: int = 0) -> tuple[Any, float]:
    """What comes of some work, and the seconds that it took after it was done some times."""
    for _ in range(warm):
        work()
    began = time.perf_counter()
    done = work()
    return done, time.perf_counter() - began


def _numbers(column: Sequence[Any]) -> Floats:
    """A column of a peer's, NaN for what is no number."""
    return np.array([np.nan if v is None or np.ma.is_masked(v) else float(v) for v in column])


@dataclass(frozen=True, slots=True, eq=False)
class _Sides:
    """One statistic by both."""

    statistic: str
    ours: Floats
    theirs: Floats

    @property
    def relative(self) -> Floats:
        """(zone,) relative differences."""
        size = np.maximum(np.abs(self.ours), np.abs(self.theirs))
        with np.errstate(divide="ignore", invalid="ignore"):
            found = np.where(size > 0, np.abs(self.ours - self.theirs) / size, 0.0)
        one, other = np.isnan(self.ours), np.isnan(self.theirs)
        return np.where(one & other, 0.0, np.where(one | other, 1.0, found))


def _difference(side: _Sides, ours: Any, peer: Peer, header: Header, band: int) -> Difference:
    relative = side.relative
    if not relative.any():
        return Difference(side.statistic, 0.0, 0, None, np.nan, np.nan, "")
    row = int(relative.argmax())
    causes = _causes(side, ours, row, peer, header, band)
    return Difference(
        statistic=side.statistic,
        largest=float(relative[row]),
        differing=int((relative > ROUNDING).sum()),
        zone=ours.index[row],
        ours=float(side.ours[row]),
        theirs=float(side.theirs[row]),
        cause=next(causes),
    )


def _causes(
    side: _Sides, ours: Any, row: int, peer: Peer, header: Header, band: int
) -> Iterator[str]:
    """What is known to make a difference, the likeliest first."""
    account = ours.iloc[row]
    if side.relative[row] <= LAST_BITS:
        yield "rounding: the same numbers, added in another order"
    if side.relative[row] <= ROUNDING:
        yield "rounding: numbers of 32 bits there, of 64 here"
    if not CRS.from_user_input(ours.crs).equals(
        CRS.from_user_input(header.grid.lattice.crs), ignore_axis_order=True
    ):
        yield f"CRS: {peer.name} takes the zones to lie in the raster's CRS, and they do not"
    scaled = (header.scales[band - 1], header.offsets[band - 1]) != (1.0, 0.0)
    if peer.name == "rasterstats":
        yield from _of_rasterstats(side, account, header.nodata[band - 1], scaled)
    else:
        yield from _of_exactextract(side, account)
    yield f"not known; `zonalbatch explain` shows zone {ours.index[row]!r} cell by cell"


def _of_rasterstats(side: _Sides, account: Any, nodata: Any, scaled: bool) -> Iterator[str]:
    if scaled and side.statistic not in ("count", "variety", "n_nodata", "n_nan"):
        yield "scale and offset of the file, which rasterstats does not apply"
    if account["n_outside"]:
        yield "cells beyond the raster: nodata there, or 0 where the file has no nodata"
    if account["n_nan"] or account["n_nodata"] or account["n_masked"]:
        yield "nodata, NaN and masks: rasterstats has one rule for them, the file several"
    if nodata is None:
        yield "no nodata in the file: rasterstats takes -999 for it"
    if side.statistic in ("mode", "minority"):
        yield "ties: the larger value here, the smaller there"
    yield "touching: a centre on an edge belongs to one of two neighbours here, there to any"


def _of_exactextract(side: _Sides, account: Any) -> Iterator[str]:
    if side.statistic == "median" or side.statistic[0] == "p":
        yield "quantile: exactextract merges equal values, and cuts to integers where pixels are"
    if side.statistic == "minority":
        yield "ties: values of equal shares"
    if account["n_masked"] or account["n_nan"]:
        yield "masks and infinite values: exactextract loses some of them"
    if np.isnan(side.ours[side.relative.argmax()]) and not account["n_total"]:
        yield "no cells: null here, 0 there"
    if side.statistic in ("sum", "variance", "std", "cv") and side.relative.max() < 1e-3:
        yield "rounding: shares of 32 bits there, of 64 here, add up"
    if np.isnan(side.ours[side.relative.argmax()]):
        yield "no valid cells: null here, a number there"
