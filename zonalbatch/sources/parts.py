"""Parts: one real number of each complex one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from zonalbatch.errors import SourceError
from zonalbatch.sources.causes import shown
from zonalbatch.sources.protocol import Header
from zonalbatch.sources.view import Part

__all__ = ["header_of_part", "part_of", "refuse_complex"]

_TAKE: Mapping[Part, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "real": np.real,
    "imag": np.imag,
    "abs": np.abs,
    "phase": np.angle,
}


def part_of(values: NDArray[Any], part: Part, nodata: float | int | None) -> NDArray[Any]:
    """A part of complex values of one band; NaN where they mean no data.

    A value means no data if its real part is nodata and its imaginary part nodata or zero:
    writers differ, and a real part that happens to be zero is none by itself.
    """
    taken = np.array(_TAKE[part](values))
    if nodata is not None:
        taken[_is(values.real, nodata) & (_is(values.imag, nodata) | (values.imag == 0))] = np.nan
    return taken


def _is(values: NDArray[Any], nodata: float | int) -> NDArray[np.bool_]:
    return np.isnan(values) if nodata != nodata else values == values.dtype.type(nodata)


def header_of_part(header: Header, part: Part, href: str) -> Header:
    """What a file of complex numbers says of one part of them; its nodata is NaN.

    Raises:
        SourceError: its numbers are real, or an offset makes no sense for the part.
    """
    if not all(map(_is_complex, header.dtypes)):
        raise SourceError(
            f"{shown(href)} has real pixels ({header.dtypes[0]}), of which there is no part "
            f"{part!r}; leave part out"
        )
    if part != "real" and any(header.offsets):
        raise SourceError(
            f"{shown(href)} adds {header.offsets[0]} to its complex pixels, which says nothing of "
            f"their part {part!r}; take the part real, or remove the offset (gdal_edit -offset 0)"
        )
    size = {"complex64": "float32", "complex128": "float64"}
    return replace(
        header,
        dtypes=tuple(size[name] for name in header.dtypes),
        nodata=tuple(None if value is None else float("nan") for value in header.nodata),
        scales=(1.0,) * len(header.scales) if part == "phase" else header.scales,
    )


def refuse_complex(header: Header, href: str, index: int = 1) -> None:
    """Raise if a band (1-based) has complex pixels: no statistic of ours means anything on them."""
    name = header.dtypes[index - 1]
    if _is_complex(name):
        parts = ", ".join(get_args(Part)[:-1])
        raise SourceError(
            f"{shown(href)} has complex pixels ({name}); choose the part of them to measure "
            f"(part: {parts} or {get_args(Part)[-1]})"
        )


def _is_complex(dtype: str) -> bool:
    return dtype.startswith("complex")
