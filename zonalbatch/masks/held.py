"""Held: which listed values and bits the type of a band can have, and as what it has them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zonalbatch.errors import SourceError
from zonalbatch.masks.mask import Bits, Mask

__all__ = ["check_held", "held"]


def held(listed: Sequence[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Listed values as the type has them, without those that it cannot have.

    Integers are exact, also beyond 2^53; a number becomes the nearest of a floating-point type, so
    that 0.1 is found in a band of float32.
    """
    if dtype.kind == "b":
        return np.array([bool(one) for one in listed if one in (0, 1)], bool)
    if dtype.kind in "fc":  # complex pixels are told as they are until a part of them is taken
        with np.errstate(over="ignore"):
            found = np.array(listed, np.float64).astype(dtype)
        return found[np.isfinite(found)]
    info = np.iinfo(dtype)
    whole = (int(one) for one in listed if one == math.floor(one))
    return np.array([one for one in whole if info.min <= one <= info.max], dtype)


def check_held(mask: Mask, dtypes: Iterable[str | None]) -> None:
    """Refuse what no cell of a band can be, of whatever of its types; None is one that is unknown.

    Raises:
        SourceError: a listed value or bit is beyond all of them.
    """
    types = set(dtypes)
    known = [np.dtype(one) for one in sorted(one for one in types if one is not None)]
    if not known or None in types:
        return
    names = " or ".join(map(str, known))
    for value in mask.values:
        if not any(len(held([value], one)) for one in known):
            raise SourceError(
                f"mask band {mask.band!r} is {names}, which no cell with {value!r} can be; give "
                "raw values of the band"
            )
    for bits in mask.bits:
        if _top(bits) > (most := max(map(_bits, known))):
            raise SourceError(
                f"{bits.name!r} of mask band {mask.band!r} ends at bit {_top(bits) - 1}, but "
                f"{names} has bits 0 to {most - 1}; correct its offset or length"
            )


def _top(bits: Bits) -> int:
    return (bits.offset or 0) + bits.length


def _bits(dtype: np.dtype[Any]) -> int:
    """How many bits a type has; floating-point numbers are read as whole ones of 64."""
    return {"b": 1, "f": 64, "c": 64}.get(dtype.kind, 8 * dtype.itemsize)
