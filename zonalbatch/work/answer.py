"""Answer: which grid a zone is answered from where the scenes of one layer lie on several.

Cells of two lattices cannot be mixed without resampling, so each zone takes all of its cells from
one of them: the one whose items' footprints hold the largest share of it; ties go to the one with
the least id of an item whose files reach the zone. That follows from the zone and the items alone,
whatever their order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from zonalbatch.layers import Layer, Scene
from zonalbatch.work.ground import Shapes
from zonalbatch.work.layer_work import LayerSummary
from zonalbatch.work.shares import first_within, in_degrees, shares_within

__all__ = ["answered", "answering"]

Key = TypeVar("Key")


def answered(
    layer: Layer, shapes: Shapes, pieces: Sequence[Layer], summaries: Sequence[LayerSummary]
) -> LayerSummary:
    """The summary of a layer from those of its pieces, of which each zone is answered by one.

    Args:
        layer: the whole layer.
        shapes: the zones.
        pieces: the layer, cut by lattices.
        summaries: what each piece says of every zone.
    """
    if len(pieces) == 1:
        return summaries[0]
    by = answering(shapes, pieces, np.stack([one.met for one in summaries]))

    def picked(columns: Sequence[Mapping[Key, Any]]) -> dict[Key, Any]:
        return {key: _picked(by, [some[key] for some in columns]) for key in columns[0]}

    return LayerSummary(
        layer=layer,
        met=np.any([one.met for one in summaries], axis=0),
        columns=picked([one.columns for one in summaries]),
        unread=picked([one.unread for one in summaries]),
        unweighed=_picked(by, [one.unweighed for one in summaries]),
        valid=_picked(by, [one.valid for one in summaries]),
        clear=_picked(by, [one.clear for one in summaries]),
        filtered=_picked(by, [one.filtered for one in summaries]),
        approximate=picked([one.approximate for one in summaries]),
        failures=tuple(failure for one in summaries for failure in one.failures),
        encodings=tuple(told for one in summaries for told in one.encodings),
        contradicted={key: tags for one in summaries for key, tags in one.contradicted.items()},
    )


def answering(shapes: Shapes, pieces: Sequence[Layer], met: NDArray[np.bool_]) -> NDArray[np.intp]:
    """(zone,) which piece of a layer answers.

    Args:
        shapes: the zones.
        pieces: the layer, cut by lattices.
        met: (piece, zone) True if a cell of the zone lies in the files of the piece.
    """
    zones = in_degrees(shapes)
    every = sorted((scene for piece in pieces for scene in piece.scenes), key=lambda s: s.items)
    shares = np.stack([shares_within(piece.scenes, zones) for piece in pieces])
    # Shares that differ by rounding alone are ties.
    shares = np.where(met, np.round(shares, 9), -1.0)
    best = shares == shares.max(axis=0)
    first = np.stack([_first(every, piece, zones) for piece in pieces])
    return np.argmin(np.where(best, first, len(every) + 1), axis=0)


def _first(every: Sequence[Scene], piece: Layer, zones: Any) -> NDArray[np.int64]:
    """(zone,) the least place, in the order of ids, of the scenes of a piece that reach it."""
    places = [i for i, scene in enumerate(every) if any(scene is one for one in piece.scenes)]
    first = first_within([every[i] for i in places], zones)
    return np.array([*places, len(every)], np.int64)[first]


def _picked(by: NDArray[np.intp], columns: Sequence[Any]) -> Any:
    """(zone,) of several columns the value of that which answers."""
    n, here = len(by), np.arange(len(by))
    if isinstance(columns[0], np.ndarray):
        return np.stack(columns)[by, here]
    return pa.chunked_array(columns).take(pa.array(by * n + here)).combine_chunks()
