"""Losses: what becomes of a part whose worker was lost."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from zonalbatch.errors import ClusterError
from zonalbatch.planning.files import Part

__all__ = ["Losses"]

IN_VAIN = 200
"""Losses after which a run ends, if no part is done between them."""


class Losses:
    """How often the worker of each part was lost.

    The loss of a worker is no verdict: every part that it had is blamed, whatever it died of, and
    a machine may be taken away. So a part is done again; then by itself, when all others are done,
    so that none beside it is to blame; and who is lost then was too much for its worker.
    """

    def __init__(self) -> None:
        self._of: dict[str, int] = {}
        self._in_vain = 0

    def add(self, part: Part) -> Literal["again", "alone", "halve"]:
        """Note a loss; what to do with the part.

        Raises:
            ClusterError: no worker stays long enough to do any part.
        """
        self._in_vain += 1
        if self._in_vain >= IN_VAIN:
            raise ClusterError(
                f"{self._in_vain} workers were lost in a row, and no part was done meanwhile; give "
                "them more memory, or see their logs, then run again: what is done is kept"
            )
        self._of[part.id] = self._of.get(part.id, 0) + 1
        return {1: "again", 2: "alone"}.get(self._of[part.id], "halve")  # type: ignore[return-value]

    def survived(self) -> None:
        """A part was done: workers are not lost whatever they do."""
        self._in_vain = 0

    def suspect(self, halves: Iterable[Part]) -> None:
        """Have halves of a lost part be known as what is lost: once more, and they are halved."""
        for half in halves:
            self._of[half.id] = 2
