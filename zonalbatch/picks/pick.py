"""Pick: of the rows of a zone in a window of time, the clearest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zonalbatch.errors import InputError
from zonalbatch.layers import Layer
from zonalbatch.periods import DAY, period_of

__all__ = ["SEEN", "Pick"]

SEEN = "valid_fraction"
"""The statistic that rows are picked by. Not ``clear_fraction``: a scene that shows a clear corner
of a zone must not win over one that shows nearly all of it."""


@dataclass(frozen=True, slots=True)
class Pick:
    """Which rows are kept: one for each zone and window of time, the clearest."""

    every: str
    """The window, as `period_of` knows it."""

    @property
    def document(self) -> dict[str, Any]:
        """The pick in plain types."""
        return {"every": self.every, "by": "clearest"}

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
        """(row,) first day of the window of each time, given in microseconds since 1970."""
        return period_of(self.every).start(times // DAY)
