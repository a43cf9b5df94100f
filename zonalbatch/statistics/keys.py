"""Keys: values as integers that are ordered as the values are, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Keys"]


@dataclass(frozen=True, slots=True)
class Keys:
    """How values of one type become integers that are ordered as they are, and back."""

    bits: int
    """32 or 64."""
    shift: int | None = None
    """What is added to an integer; None for a float, whose bits are turned around."""

    @classmethod
    def of(cls, dtype: np.dtype[Any]) -> Keys:
        """The keys of a raster's type. Integers of 64 bits are ranked as float64."""
        bits = 64 if dtype.itemsize == 8 else 32
        if dtype.kind in "iu" and bits == 32:
            return cls(bits, -(2**31) - int(np.iinfo(dtype).min))
        return cls(bits)

    def from_values(self, values: NDArray[Any]) -> NDArray[Any]:
        """The keys of some values."""
        if self.shift is not None:
            return (values.astype(np.int64) + self.shift).astype(np.int32)
        if self.bits == 32:
            bits = (values.astype(np.float32) + np.float32(0)).view(np.int32)
            return _turned(bits, 31)
        return _turned((values.astype(np.float64) + 0.0).view(np.int64), 63)

    def to_values(self, keys: NDArray[Any]) -> NDArray[np.float64]:
        """The values of some keys."""
        if self.shift is not None:
            return keys.astype(np.float64) - self.shift
        if self.bits == 32:
            return _turned(keys.astype(np.int32), 31).view(np.float32).astype(np.float64)
        values: NDArray[np.float64] = _turned(keys.astype(np.int64), 63).view(np.float64)
        return values


def _turned(bits: NDArray[Any], n: int) -> NDArray[Any]:
    """The bits of floats as integers in their order, or back: those of negative numbers, but for
    the sign, are turned around."""
    turned: NDArray[Any] = bits ^ ((bits >> n) & ((1 << n) - 1))
    return turned
