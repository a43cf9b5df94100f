"""News: what a plan asks for that an output does not hold yet, and what it no longer names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from zonalbatch.errors import InputError
from zonalbatch.layers import Layer
from zonalbatch.places import Place
from zonalbatch.planning.earlier import Earlier
from zonalbatch.planning.identity import layer_hash

__all__ = ["Change", "News", "news_of"]


@dataclass(frozen=True, slots=True)
class Change:
    """What became of the zones, or of the layers, of an earlier plan."""

    new: int
    changed: int = 0
    """Other geometry or columns under the same id; another file for the same layer or items."""
    gone: tuple[Any, ...] = ()
    """Ids that are no longer named."""

    @property
    def document(self) -> dict[str, int]:
        """In plain types."""
        return {"new": self.new, "changed": self.changed, "removed": len(self.gone)}


@dataclass(frozen=True, slots=True)
class News:
    """What is new in a plan."""

    zones: Change
    layers: Change
    done: frozenset[str] = field(default=frozenset())
    """Parts whose rows were all there when it was made."""

    def refuse_gone(self, output: Place) -> None:
        """See that no rows would be lost.

        Raises:
            InputError: zones or layers that have rows are no longer named.
        """
        lost = [
            f"{len(gone):,} {noun}{'s' * (len(gone) > 1)} (such as {gone[0]!r})"
            for noun, gone in (("zone", self.zones.gone), ("layer", self.layers.gone))
            if gone
        ]
        if lost:
            raise InputError(
                f"{output} holds {' and '.join(lost)} that this job does not name; name them "
                "again, or say prune=True (--prune) to remove their rows"
            )


def news_of(
    earlier: Earlier, place: NDArray[np.int64], file: Path, layers: Sequence[Layer]
) -> News:
    """What is new beside an earlier plan.

    Args:
        earlier: the plan whose results are there.
        place: (earlier zone,) its row among the zones now, -1 if no zone equals it.
        file: the zones now (Arrow IPC).
        layers: the layers now.
    """
    return News(_zones(earlier, place, file), _layers(earlier, layers), earlier.done)


def _zones(earlier: Earlier, place: NDArray[np.int64], file: Path) -> Change:
    with pa.memory_map(str(file)) as mapped:
        now = pa.ipc.open_file(mapped).read_all()["zone_id"]
        fresh = np.ones(len(now), bool)
        fresh[place[place >= 0]] = False
        named = now.filter(pa.array(fresh))
        lost = earlier.column("zone_id").filter(pa.array(place < 0))
        gone = lost.filter(pc.invert(pc.is_in(lost, value_set=named.combine_chunks())))
        edited = len(lost) - len(gone)
        return Change(len(named) - edited, edited, tuple(gone.to_pylist()))


def _layers(earlier: Earlier, layers: Sequence[Layer]) -> Change:
    """Layers by their ids; one whose items all lie in others now, or gave way, is replaced."""
    before = {layer.id: layer_hash(layer) for layer in earlier.layers}
    now = {layer.id: layer_hash(layer) for layer in layers}
    scenes = [scene for layer in layers for scene in layer.scenes]
    items = {item for scene in scenes for item in (*scene.items, *scene.superseded)}
    lost = [layer for layer in earlier.layers if layer.id not in now]
    gone = tuple(one.id for one in lost if not one.items or not items.issuperset(one.items))
    elsewhere = len(lost) - len(gone)
    other = sum(name in now and now[name] != hash for name, hash in before.items())
    new = sum(name not in before for name in now)
    return Change(max(0, new - elsewhere), other + elsewhere, gone)
