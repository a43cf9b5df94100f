"""Peers: other tools that can be asked beside this one, each as its users ask it."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from zonalbatch.cover.coverage import CoverageRule
from zonalbatch.errors import InputError

__all__ = ["PEERS", "Peer"]

QUANTILE = re.compile(r"p(\d+(?:\.\d+)?)")


@dataclass(frozen=True, slots=True)
class Peer:
    """Another tool."""

    name: str
    rule: CoverageRule
    """How its zones take cells."""
    names: Mapping[str, str]
    """Our statistic -> its name there; those with the same name are left out."""
    same: frozenset[str]
    """Statistics with the same name."""
    quantile: Callable[[float], str]
    """The name of a quantile there, from a percentile."""
    ask: Callable[[Any, str, int, Sequence[str]], Sequence[Sequence[Any]]]
    """(frame, raster, band, names there) -> a column of results for each name."""

    def ready(self) -> None:
        """See that it is installed.

        Raises:
            InputError: it is not.
        """
        if find_spec(self.name) is None:
            raise InputError(
                f"{self.name} is not installed here; install it beside zonalbatch: "
                f"pip install {self.name}"
            )

    def named(self, statistic: str) -> str:
        """A statistic's name there.

        Raises:
            InputError: it knows no such thing.
        """
        quantile = QUANTILE.fullmatch(statistic)
        if quantile:
            return self.quantile(float(quantile[1]))
        if statistic in self.same:
            return statistic
        if statistic not in self.names:
            known = ", ".join([*sorted(self.same), *self.names, "p<q>"])
            raise InputError(f"{self.name} has no {statistic!r} to compare with; it has {known}")
        return self.names[statistic]


def _rasterstats(frame: Any, raster: str, band: int, names: Sequence[str]) -> list[list[Any]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = import_module("rasterstats").zonal_stats(
            frame, raster, band=band, stats=list(names)
        )
    return [[row[name] for row in found] for name in names]


def _exactextract(frame: Any, raster: str, band: int, names: Sequence[str]) -> list[list[Any]]:
    sources = import_module("exactextract.raster")
    operations = [f"r{i}={name}" for i, name in enumerate(names)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = import_module("exactextract").exact_extract(
            sources.RasterioRasterSource(raster, band), frame, operations,
            strategy="raster-sequential", output="pandas",
        )  # fmt: skip
    return [column.tolist() for _, column in found.items()]


PEERS = {
    "rasterstats": Peer(
        name="rasterstats",
        rule="center",
        names={
            "mode": "majority", "variety": "unique", "n_nodata": "nodata", "n_nan": "nan",
        },
        same=frozenset(
            ("count", "mean", "min", "max", "sum", "std", "median", "minority", "range")
        ),
        quantile=lambda percent: f"percentile_{percent:g}",
        ask=_rasterstats,
    ),
    "exactextract": Peer(
        name="exactextract",
        rule="fraction",
        names={"std": "stdev", "cv": "coefficient_of_variation"},
        same=frozenset(
            ("count", "mean", "min", "max", "sum", "median", "mode", "minority", "variety",
             "variance")
        ),
        quantile=lambda percent: f"quantile(q={percent / 100!r})",
        ask=_exactextract,
    ),
}  # fmt: skip
"""Peers by name."""
