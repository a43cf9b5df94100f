"""Pick: of the rows of a zone in a window of time, the clearest."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zonalbatch.errors import InputError
from zonalbatch.layers import Layer

__all__ = ["CLEAR", "Pick"]

CLEAR = "clear_fraction"
"""The statistic that rows are picked by."""

DAY = 86_400_000_000
"""Microseconds of a day."""


@dataclass(frozen=True, slots=True)
class Pick:
    """Which rows are kept: one for each zone and window of time, the clearest."""

    days: int
    """Length of a window; windows are counted from 1970-01-01, UTC."""

    @classmethod
    def every(cls, text: Any) -> Pick:
        """What a text such as ``10d`` means.

        Raises:
            InputError: it is no number of days.
        """
        match = re.fullmatch(r"([1-9]\d{0,4})d", text) if isinstance(text, str) else None
        if match is None:
            raise InputError(f"every={text!r}: give a number of days, such as 10d")
        return cls(int(match[1]))

    @property
    def document(self) -> dict[str, Any]:
        """The pick in plain types."""
        return {"every": f"{self.days}d", "by": "clearest"}

    def check_dated(self, layers: Sequence[Layer]) -> None:
        """Refuse layers that lie in no window.

        Raises:
            InputError: a layer has no time.
        """
        undated = [layer.id for layer in layers if layer.datetime is None]
        if undated:
            raise InputError(
                f"layer {undated[0]!r} has no time, so that pick cannot tell its window; give "
                "source.datetime_pattern, or leave pick out"
            )

    def windows(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        """(row,) number of the window that each time lies in, given in microseconds since 1970."""
        return times // (self.days * DAY)
