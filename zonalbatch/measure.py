"""Measure: from raw values at covered cells to valid values of a measurement.

Raw values are gathered first and measured after, so that validity, scale and offset, expressions
and masks are worked out for the covered cells only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from zonalbatch.cover.cells import (
    FILE_MASK,
    NODATA,
    NOT_A_NUMBER,
    VALID,
    Cells,
    Layout,
    first_reason,
    gather,
)
from zonalbatch.expression import Expression
from zonalbatch.masks.mask import Mask
from zonalbatch.masks.masking import flag

__all__ = [
    "NO_ENCODING", "BandCells", "Bands", "Encoding", "Measurement", "TileBand", "measure",
    "physical",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Measurement:
    """One output variable: a band or an expression of bands, with its masks."""

    name: str
    expression: Expression
    masks: tuple[Mask, ...] = ()
    """Cells that any of them masks are left out."""
    default: float | None = None
    """Physical value of cells that are nodata, NaN or masked by their file; None leaves them so."""

    @property
    def bands(self) -> tuple[str, ...]:
        """Names of the bands that must be read, those of masks last."""
        return tuple(dict.fromkeys([*self.expression.names, *(mask.band for mask in self.masks)]))


@dataclass(frozen=True, slots=True)
class Encoding:
    """What the raw values of a band mean: physical = raw × scale + offset."""

    nodata: float | int | None
    scale: float
    offset: float


NO_ENCODING = Encoding(None, 1.0, 0.0)
"""Values are physical ones."""


@dataclass(frozen=True, slots=True, eq=False)
class TileBand:
    """One band over one fold tile of the measuring lattice."""

    values: NDArray[Any]
    """(512, 512) raw values; arbitrary where no covered cell lies."""
    absent: NDArray[np.uint8] | None
    """(512, 512) UNREAD or OUTSIDE where there are no values; None where all are there."""
    valid: NDArray[np.bool_] | None
    """(512, 512) the file's own mask, True means valid; None if it has none."""
    encoding: Encoding


@dataclass(frozen=True, slots=True, eq=False)
class BandCells:
    """One band at the covered cells of a tile."""

    values: NDArray[Any]
    """(cell,) raw values."""
    reasons: NDArray[np.uint8]
    """(cell,) why a cell has no value; of length 0 if all have one."""
    encoding: Encoding

    @classmethod
    def of(cls, band: TileBand, layout: Layout) -> BandCells:
        """The band's values at the covered cells, each with the first reason it has none."""
        values = gather(band.values, layout)
        valid = None if band.valid is None else gather(band.valid, layout)
        absent = None if band.absent is None else gather(band.absent, layout)
        return cls.told(values, absent, valid, band.encoding)

    @classmethod
    def told(
        cls,
        values: NDArray[Any],
        absent: NDArray[np.uint8] | None,
        valid: NDArray[np.bool_] | None,
        encoding: Encoding,
    ) -> BandCells:
        """Values, each with the first reason it has none; arguments are as those of `TileBand`."""
        reasons = _no_value(values, encoding.nodata)
        if valid is not None:
            reasons = first_reason(reasons, ~valid * np.uint8(FILE_MASK))
        if absent is not None:
            reasons = first_reason(absent, reasons)
        return cls(values, reasons, encoding)

    def physical(self) -> NDArray[np.float64]:
        """(cell,) values with scale and offset applied."""
        values = self.values.astype(np.float64)
        if self.encoding.scale != 1:
            values *= self.encoding.scale
        if self.encoding.offset:
            values += self.encoding.offset
        return values


class Bands(Protocol):
    """The bands of one scene at the covered cells of a tile."""

    def band(self, name: str) -> BandCells:
        """A band by its name."""

    def masked(self, mask: Mask) -> NDArray[np.uint8]:
        """(cell,) why a mask takes cells away; of length 0 if it takes none."""


def measure(measurement: Measurement, layout: Layout, bands: Bands) -> tuple[Cells, Encoding]:
    """One measurement at the covered cells of a tile, and what its values mean.

    A bare band keeps its raw values (their statistics are brought to physical ones in the end);
    an expression has physical ones. The first reason over its bands wins, the user's masks last.
    A default stands in for what the files do not say, not for what the mask takes away.
    """
    parts = {name: bands.band(name) for name in measurement.expression.names}
    values, encoding, reasons = _evaluate(measurement.expression, parts)
    if measurement.default is not None:
        values, encoding, reasons = _filled(values, encoding, reasons, measurement.default)
    reasons = first_reason(reasons, *map(bands.masked, measurement.masks))
    return Cells(layout, values, reasons), encoding


def physical(cells: Cells, encoding: Encoding) -> tuple[Cells, Encoding]:
    """The same with scale and offset applied."""
    values = BandCells(cells.values, cells.reasons, encoding).physical()
    return Cells(cells.layout, values, cells.reasons), NO_ENCODING


def _evaluate(
    expression: Expression, parts: Mapping[str, BandCells]
) -> tuple[NDArray[Any], Encoding, NDArray[np.uint8]]:
    reasons = first_reason(*(part.reasons for part in parts.values()))
    if expression.band is not None:
        part = parts[expression.band]
        if part.encoding.scale > 0:  # a negative scale would turn quantiles and extremes around
            return part.values, part.encoding, reasons
    values = expression({name: part.physical() for name, part in parts.items()})
    return (
        values,
        NO_ENCODING,
        first_reason(reasons, _no_value(values, None)),
    )


def _filled(
    values: NDArray[Any], encoding: Encoding, reasons: NDArray[np.uint8], default: float
) -> tuple[NDArray[Any], Encoding, NDArray[np.uint8]]:
    """Values with a default where the files have none; physical ones if the raw type lacks it."""
    raw = (default - encoding.offset) / encoding.scale
    with np.errstate(invalid="ignore", over="ignore"):
        held = np.float64(raw).astype(values.dtype)
    if float(held) != raw or values.dtype.kind == "b":
        values = BandCells(values, reasons, encoding).physical()
        held, encoding = np.float64(default), NO_ENCODING
    silent = np.isin(reasons, (NODATA, NOT_A_NUMBER, FILE_MASK))
    if not silent.any():
        return values, encoding, reasons
    return np.where(silent, held, values), encoding, np.where(silent, np.uint8(VALID), reasons)


def _no_value(values: NDArray[Any], nodata: float | int | None) -> NDArray[np.uint8]:
    """(cell,) NODATA, NOT_A_NUMBER or 0; of length 0 if all are valid."""
    found = []
    if nodata is not None and nodata == nodata:
        found.append(flag(values == values.dtype.type(nodata), NODATA))
    if values.dtype.kind == "f":
        tagged = nodata is not None and nodata != nodata
        if tagged:
            found.append(flag(np.isnan(values), NODATA))
        found.append(flag(~np.isfinite(values), NOT_A_NUMBER))
    return first_reason(*found)
