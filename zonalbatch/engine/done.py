"""Done: what has been done of a plan."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zonalbatch.planning.files import Part
from zonalbatch.planning.halving import halves_of
from zonalbatch.planning.plan import Plan
from zonalbatch.receipts import Receipt, unpack_bits

__all__ = ["Done"]


@dataclass(slots=True, eq=False)
class Done:
    """What has been done of a plan."""

    plan: Plan
    """With halves in the place of parts that were too much for a worker."""
    rows: int = 0
    failed: set[str] = field(default_factory=set)
    """What could not be read, each file of a layer once, as `Receipt.failed` has it."""
    computed: int = 0
    """Parts written, now and not before."""
    rewritten: int = 0
    """How many of these from the rows of earlier parts."""
    mismatched: set[str] = field(default_factory=set)
    """Layers that must be planned again by their files."""
    applied: dict[str, Any] = field(default_factory=dict)
    """`key_of` a band -> (nodata, scale, offset) where the plan left them to the file."""
    contradicted: dict[str, Any] = field(default_factory=dict)
    """`key_of` a band -> (scale, offset) of its file's tags, where others were applied."""
    met: NDArray[np.bool_] = field(init=False)
    """(zone,) True if the zone has a row."""

    _parts: dict[str, Part] = field(init=False)

    def __post_init__(self) -> None:
        self.met = np.zeros(self.plan.n_zones, bool)
        self._parts = {part.id: part for part in self.plan.parts}

    def add(self, receipt: Receipt) -> None:
        """Count a receipt in."""
        if receipt.mismatched:
            self.mismatched |= set(receipt.mismatched)
            return
        self.rows += receipt.rows
        self.failed.update(receipt.failed)
        self.applied |= receipt.applied
        self.contradicted |= receipt.contradicted
        part = self._parts[receipt.part]  # a receipt tells of the plan that it was written for
        unmet = unpack_bits(receipt.unmet, part.stop - part.start)
        self.met[part.start : part.stop] |= ~unmet

    def halve(self, part: Part) -> tuple[Part, Part]:
        """Put two parts in the place of one, in the stored plan, too.

        Raises:
            OutputError: the plan cannot be written.
        """
        halves = halves_of(part, self.plan.layers)
        self.plan = self.plan.halved(part, halves)
        del self._parts[part.id]
        self._parts |= {half.id: half for half in halves}
        return halves
