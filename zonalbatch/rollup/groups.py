"""Groups: rows of a result by what they have in common, with their states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zonalbatch.statistics import Rolled

__all__ = ["Groups"]


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Rows, or groups of rows, and their states."""

    keys: NDArray[np.int64]
    """(row,) what rows of a group have in common."""
    rolled: tuple[Rolled, ...]
    """Of each measurement."""

    @classmethod
    def merged(cls, parts: Sequence[Groups]) -> Groups:
        """One row for each key, ascending."""
        keys, group = np.unique(np.concatenate([one.keys for one in parts]), return_inverse=True)
        to = np.split(group, np.cumsum([len(one.keys) for one in parts])[:-1])
        states = zip(*(one.rolled for one in parts), strict=True)
        rolled = (Rolled.merged(list(zip(to, some, strict=True)), len(keys)) for some in states)
        return cls(keys, tuple(rolled))

    @property
    def nbytes(self) -> int:
        """About how many bytes it takes."""
        return len(self.keys) * 8 + sum(rolled.nbytes for rolled in self.rolled)
